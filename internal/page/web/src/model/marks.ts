import type { TraceEvent } from './types'
import { isFault, isScript } from './words'

// Mark is an event that is drawn on a lane or on the axis of time.
export interface Mark {
  at: number
  index: number
  replica: number
  kind: 'down' | 'pause' | 'up' | 'suspect' | 'ask' | 'enter' | 'evidence' | 'fault' | 'healed' | 'stable' | 'transfer'
  label: string
}

// Marks lists such events in their order. They are few, so that a picture of any length can show them all.
export class Marks {
  list: Mark[] = []

  begin(): void {
    this.list = []
  }

  read(e: TraceEvent, index: number): void {
    const mark = (kind: Mark['kind'], label = '') =>
      this.list.push({ at: e.at_us, index, replica: e.replica, kind, label })
    switch (e.event) {
      case 'process':
        if (e.step === 'crashed' || e.step === 'stopped') mark('down')
        else if (e.step === 'paused') mark('pause')
        else if (e.step !== 'noted') mark('up')
        break
      case 'view':
        mark(({ suspected: 'suspect', asked: 'ask', entered: 'enter' } as const)[e.step], `v${e.view}`)
        break
      case 'evidence':
        mark('evidence')
        break
      case 'fault':
        if (isFault(e.what) && !isScript(e.what)) mark(e.step === 'fired' ? 'fault' : 'healed', e.what)
        break
      case 'checkpoint':
        if (e.step === 'stable') mark('stable', `${e.seq}`)
        break
      case 'transfer':
        if (e.step !== 'progress') mark('transfer', e.step)
        break
      default: // the others are too many, or are told elsewhere
    }
  }

  forget(event: number): void {
    // What a lane was before is needed to draw it: the last process mark of each replica stays.
    const old = this.list.filter(m => m.index < event && (m.kind === 'down' || m.kind === 'pause' || m.kind === 'up'))
    const last = new Map(old.map(m => [m.replica, m]))
    this.list = [...last.values(), ...this.list.filter(m => m.index >= event)]
  }

  // between are the marks of a stretch of time.
  between(from: number, to: number): Mark[] {
    return this.list.slice(this.place(from), this.place(to + 1))
  }

  // place is how many marks are before a time.
  private place(time: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.list[middle]?.at ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  // processAt is how a replica's process is at a time.
  processAt(replica: number, time: number): 'up' | 'pause' | 'down' {
    for (let i = this.place(time + 1) - 1; i >= 0; i--) {
      const m = this.list[i]
      if (m && m.replica === replica && (m.kind === 'up' || m.kind === 'pause' || m.kind === 'down')) return m.kind
    }
    return 'up'
  }
}
