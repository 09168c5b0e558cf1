import type { Timeline } from '../../model/timeline'
import type { RequestStep } from '../../model/types'

// Collected gathers the requests of a timeline for the charts. It reads each event once, however often it is asked.
export class Collected {
  requests: RequestStep[] = []
  private of: object | null = null
  private next = 0

  // upTo reads what has come since the last time, and starts anew with a timeline that began anew.
  upTo(timeline: Timeline): void {
    if (this.of !== timeline.header) {
      this.of = timeline.header
      this.requests = []
      this.next = timeline.first
    }
    for (this.next = Math.max(this.next, timeline.first); this.next < timeline.end; this.next++) {
      const e = timeline.at(this.next)
      if (e?.event === 'request') this.requests.push(e)
    }
  }
}

// Kept holds what was computed from arrays that grow in place, until the numbers that say so change.
export class Kept<T> {
  private by: readonly unknown[] = []
  private value: T | undefined

  of(by: readonly unknown[], compute: () => T): T {
    if (this.value === undefined || by.length !== this.by.length || by.some((b, i) => b !== this.by[i])) {
      this.by = by
      this.value = compute()
    }
    return this.value
  }
}
