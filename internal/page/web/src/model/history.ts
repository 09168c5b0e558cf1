import { type Arrow, Arrows } from './arrows'
import { type Cause, causesOf, type Past } from './causes'
import { votesOf } from './certificates'
import { Marks } from './marks'
import { Places } from './places'
import { Sentences } from './sentences'
import { Timeline } from './timeline'
import type { Header, TraceEvent } from './types'

// History is the events of a cluster and everything that is found in them once and for all, whatever moment is shown.
export class History {
  readonly timeline: Timeline
  readonly arrows = new Arrows()
  readonly sentences = new Sentences()
  readonly places = new Places()
  readonly marks = new Marks()

  constructor(most?: number) {
    this.timeline = new Timeline(most)
  }

  begin(header: Header, quorum = 0): void {
    this.timeline.begin(header, quorum)
    this.arrows.begin(header.replicas)
    this.sentences.begin()
    this.places.begin()
    this.marks.begin()
  }

  add(e: TraceEvent): void {
    const kept = this.timeline.first
    const index = this.timeline.add(e)
    const lies = this.arrows.lies.length
    this.arrows.read(e, index)
    this.places.read(e, index, name => this.nameOf(name))
    this.marks.read(e, index)
    this.sentences.read(e, index, this.timeline.worldAt(this.timeline.end))
    for (const a of this.arrows.lies.slice(lies)) {
      const about = 'message' in e ? `${e.message.type} ${e.message.seq}` : ''
      this.sentences.lie(index, e.at_us, a.from, about, a.lie)
    }
    if (this.timeline.first > kept) {
      this.arrows.forget(this.timeline.first)
      this.sentences.forget(this.timeline.first)
      this.marks.forget(this.timeline.first)
    }
  }

  private nameOf(name: number | string): string {
    return typeof name === 'number' ? String(name) : this.arrows.clients.nameOf(this.arrows.clients.of(name))
  }

  causes(index: number): Cause[] {
    return causesOf(this.past(), index)
  }

  // voters are the replicas whose votes closed a quorum, as far as the trace shows them.
  voters(index: number): number[] {
    const e = this.timeline.at(index)
    if (e?.event !== 'phase') return []
    return votesOf(this.past(), e, index)
      .map(v => v.voter)
      .sort((a, b) => a - b)
  }

  private past(): Past {
    const { timeline, arrows } = this
    return {
      first: timeline.first,
      replicas: timeline.header.replicas,
      at: i => timeline.at(i),
      arrowOf: i => arrows.ofEvent(i),
    }
  }

  // follow finds everything of a request: its events, and the arrows among them.
  follow(key: string): { events: Set<number>; arrows: Set<Arrow>; slot: number } {
    const events = new Set(this.places.way(key))
    const arrows = new Set<Arrow>()
    for (const i of events) {
      const a = this.arrows.ofEvent(i)
      if (a) arrows.add(a)
    }
    return { events, arrows, slot: this.places.slot(key) }
  }
}
