import { reduce } from './reduce'
import type { Header, TraceEvent } from './types'
import { clone, newWorld, type World } from './world'

// STRIDE is how many events lie between two keyframes: a jump to any moment reduces at most so many.
const STRIDE = 2000

interface Keyframe {
  index: number // events before it are part of it
  world: World
}

// Timeline holds the events of a cluster in the order in which they came, and gives the world at any moment of them. A
// moment is a number: how many events have happened. Events have numbers that stay when the oldest are forgotten.
export class Timeline {
  header: Header = { tagma_trace: 1, engine: '', replicas: 0 }
  first = 0 // number of the oldest event that is kept
  private events: TraceEvent[] = []
  private latest: number[] = [] // for each event, the highest time up to there: streams of processes may cross a little
  private keyframes: Keyframe[] = []
  private head: World = newWorld(this.header)
  private shown: Keyframe | null = null
  private quorum = 0
  private readonly most: number

  // Most is how many events are kept.
  constructor(most = 400_000) {
    this.most = most
  }

  begin(header: Header, quorum = 0): void {
    this.header = header
    this.quorum = quorum
    this.first = 0
    this.events = []
    this.latest = []
    this.head = newWorld(header, quorum)
    this.keyframes = [{ index: 0, world: newWorld(header, quorum) }]
    this.shown = null
  }

  // end is the moment after the last event.
  get end(): number {
    return this.first + this.events.length
  }

  // zero is the time that is shown as 0 s.
  get zero(): number {
    return this.header.engine === 'sim' ? 0 : (this.events[0]?.at_us ?? 0)
  }

  get lastAt(): number {
    return this.latest[this.latest.length - 1] ?? 0
  }

  add(e: TraceEvent): number {
    const index = this.end
    this.events.push(e)
    this.latest.push(Math.max(e.at_us, this.latest[this.latest.length - 1] ?? 0))
    reduce(this.head, e, index)
    if ((index + 1) % STRIDE === 0) this.keyframes.push({ index: index + 1, world: clone(this.head) })
    if (this.events.length > this.most) this.forget()
    return index
  }

  // forget drops the oldest events, a quarter at once.
  private forget(): void {
    const cut = this.keyframes.find(k => k.index >= this.first + this.most / 4)
    if (!cut) return
    const surplus = cut.index - this.first
    this.events.splice(0, surplus)
    this.latest.splice(0, surplus)
    this.first = cut.index
    this.keyframes = this.keyframes.filter(k => k.index >= cut.index)
  }

  at(index: number): TraceEvent | undefined {
    return this.events[index - this.first]
  }

  // timeAt is the time of a moment: that of its last event.
  timeAt(moment: number): number {
    return this.latest[moment - 1 - this.first] ?? this.events[0]?.at_us ?? 0
  }

  // momentAt is the moment at which everything up to a time has happened.
  momentAt(time: number): number {
    let low = 0
    let high = this.latest.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.latest[middle] ?? 0) <= time) low = middle + 1
      else high = middle
    }
    return this.first + low
  }

  // worldAt is the world after so many events. It belongs to the timeline, which may change it at the next call.
  worldAt(moment: number): World {
    if (moment >= this.end) return this.head
    const wanted = Math.max(moment, this.first)
    const key = this.keyframeBefore(wanted)
    if (!this.shown || this.shown.index > wanted || this.shown.index < key.index) {
      this.shown = { index: key.index, world: clone(key.world) }
    }
    for (; this.shown.index < wanted; this.shown.index++) {
      const e = this.at(this.shown.index)
      if (e) reduce(this.shown.world, e, this.shown.index)
    }
    return this.shown.world
  }

  private keyframeBefore(moment: number): Keyframe {
    let low = 0
    let high = this.keyframes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.keyframes[middle]?.index ?? 0) <= moment) low = middle + 1
      else high = middle
    }
    return this.keyframes[Math.max(0, low - 1)] ?? { index: 0, world: newWorld(this.header, this.quorum) }
  }
}
