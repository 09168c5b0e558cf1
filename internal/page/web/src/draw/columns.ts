import type { Arrow, Arrows } from '../model/arrows'
import { GROUPS } from '../model/groups'

// NARROWEST is the width of a column of counts, in pixels. A column may be up to two and a half times as wide.
const NARROWEST = 2.4

// Column counts the messages that begin within one stretch of time.
export interface Column {
  by: Uint16Array // [lane][group], where the lane is that at which they end, the last one that of the clients
  total: number
  hidden: number // by the filter
  lost: number
  refused: number
}

export interface Filter {
  hidden: ReadonlySet<number>
  shows(a: Arrow): boolean
}

// Columns count messages that are too many to be drawn one by one. A column begins at a round time, so that it stays the
// same when the picture moves on: only new ones are counted.
export class Columns {
  us = 0 // length of a column
  lanes = 0
  private cache = new Map<number, Column>()
  private made = '' // for what the cache was made
  private counted = 0 // columns before this one, from `since` on, are in the cache
  private since = 0
  private version = 0 // id of the oldest arrow then

  // lengthFor is a round length such that a column is at least as wide as it must be.
  static lengthFor(span: number, width: number): number {
    const raw = Math.max(1, (span * NARROWEST) / width)
    const power = 10 ** Math.floor(Math.log10(raw))
    return Math.max(1, [1, 2, 5, 10].map(f => f * power).find(v => v >= raw) ?? 10 * power)
  }

  // between gives the columns of a stretch of time, by their numbers: column k begins at k times its length.
  between(
    arrows: Arrows,
    replicas: number,
    left: number,
    right: number,
    width: number,
    filter: Filter,
    now: number,
  ): Map<number, Column> {
    const us = Columns.lengthFor(right - left, width)
    const made = `${arrows.history} ${us} ${replicas} ${[...filter.hidden].join()}`
    const first = Math.floor(left / us)
    const last = Math.floor(right / us)
    if (made !== this.made || first < this.since || first > this.counted || arrows.first < this.version) {
      this.made = made
      this.us = us
      this.lanes = replicas + 1
      this.cache.clear()
      this.since = first
      this.counted = first
    }
    this.version = arrows.first
    // What is still under way may yet be lost, so the newest columns are counted anew.
    const settled = Math.floor((now - arrows.patience) / us)
    const from = Math.max(first, Math.min(this.counted, settled))
    for (let k = from; k <= last; k++) this.cache.delete(k)
    this.count(arrows, from, last, filter, now)
    this.counted = Math.max(first, Math.min(last + 1, settled))
    if (this.cache.size > 6000) this.trim(first)
    const shown = new Map<number, Column>()
    for (let k = first; k <= last; k++) {
      const c = this.cache.get(k)
      if (c) shown.set(k, c)
    }
    return shown
  }

  private trim(first: number): void {
    for (const k of this.cache.keys()) if (k < first) this.cache.delete(k)
    this.since = first
  }

  private count(arrows: Arrows, from: number, last: number, filter: Filter, now: number): void {
    const begin = from * this.us
    const end = (last + 1) * this.us
    const { list } = arrows
    for (let i = arrows.touching(begin); i < list.length; i++) {
      const a = list[i] as Arrow
      // Beginnings may be a little out of order, where one had to be estimated.
      if (a.start >= end + 1_000_000) break
      if (a.start < begin || a.start >= end) continue
      const c = this.column(Math.floor(a.start / this.us))
      if (!filter.shows(a)) {
        c.hidden++
        continue
      }
      c.total++
      const lane = a.to < 0 ? this.lanes - 1 : Math.min(a.to, this.lanes - 2)
      const at = lane * GROUPS.length + a.group
      c.by[at] = (c.by[at] ?? 0) + 1
      if (a.refused) c.refused++
      else if (a.got < 0 && arrows.lost(a, now)) c.lost++
    }
  }

  private column(k: number): Column {
    let c = this.cache.get(k)
    if (!c) {
      c = { by: new Uint16Array(this.lanes * GROUPS.length), total: 0, hidden: 0, lost: 0, refused: 0 }
      this.cache.set(k, c)
    }
    return c
  }
}

// scaleOf is the count that is drawn at full height: that below which all but the highest lanes of columns are. A single
// burst must not flatten everything else.
export function scaleOf(columns: Iterable<Column>): { scale: number; most: number } {
  const sums: number[] = []
  for (const c of columns) {
    for (let at = 0; at < c.by.length; at += GROUPS.length) {
      let sum = 0
      for (let i = at; i < at + GROUPS.length; i++) sum += c.by[i] ?? 0
      if (sum > 0) sums.push(sum)
    }
  }
  sums.sort((a, b) => a - b)
  const most = sums.at(-1) ?? 1
  const high = sums[Math.floor(sums.length * 0.97)] ?? 1
  return { most, scale: most > 1.5 * high ? high : most }
}
