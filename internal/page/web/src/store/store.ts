import { batch, computed, signal } from '@preact/signals'
import type { About, Report } from '../model/frames'
import { History } from '../model/history'
import type { World } from '../model/world'
import { Frames, lastBefore } from './frames'

// The state of the page. The timeline and the frames are large and change in place; `version` says that they did, at most
// once a frame of the screen. A panel reads `moment`, which moves a few
// times a second, and so is drawn again when it must be.

export type Connection =
  | { state: 'connecting' }
  | { state: 'history' } // the kept history is being read
  | { state: 'live' }
  | { state: 'ended' } // everything was read, and nothing more will come
  | { state: 'file'; name: string } // the page shows a file that somebody opened
  | { state: 'broken'; why: string; again: number | null } // in so many milliseconds, or never

export interface Moment {
  world: World
  at: number // time of its last event, in microseconds
  index: number // how many events have happened
}

export const about = signal<About | null>(null)
export const connection = signal<Connection>({ state: 'connecting' })
export const history = new History()
export const timeline = history.timeline
export const frames = new Frames()
export const version = signal(0)

// cursor is the moment that is shown, as a number of events; while `following` is set it moves with the end.
export const cursor = signal(0)
export const following = signal(true)

// While the moment moves by itself, words and tables follow at a pace: what changes sixty times a second can be read by
// nobody. They do so in turns, so that no frame of the screen has the work of all of them. The diagram has its own pace.
export const PACE = 200
const TURN = 34
const beats = [signal(0), signal(0), signal(0)] as const
let waits = false
let again = false

// paced lets everything that shows the moment catch up in its turn.
export function paced(): void {
  if (waits) {
    again = true
    return
  }
  waits = true
  again = false
  setTimeout(() => {
    waits = false
    if (again) paced()
  }, PACE)
  beats.forEach((b, turn) => {
    setTimeout(() => b.value++, turn * TURN)
  })
}

function now(): void {
  batch(() => {
    for (const b of beats) b.value++
  })
}

const momentOf = (turn: 0 | 1 | 2) =>
  computed<Moment>(() => {
    beats[turn].value
    const end = following.peek()
    const index = end ? timeline.end : Math.max(timeline.first, Math.min(cursor.peek(), timeline.end))
    return { world: timeline.worldAt(index), at: timeline.timeAt(index), index }
  })

export const moment = momentOf(0)
// The same for the two parts of the page that are the most work.
export const orderMoment = momentOf(1)
export const sentencesMoment = momentOf(2)

// reports are those of the moment that is shown; null: none were made, as in a trace.
// Following the end they are the newest, even if nothing has happened since the last event.
export const reports = computed<(Report | null)[] | null>(() => {
  const { at } = moment.value // the frames are no signal: this says that they may have changed
  return (following.value ? frames.reports.at(-1) : lastBefore(frames.reports, at))?.reports ?? null
})

// selected is the number of the event that the reader looks at; -1: none.
export const selected = signal(-1)
// followed is the key of the request whose way is shown; '': none.
export const followed = signal('')

// opened counts recordings that were read to their end: the diagram then chooses how much time it shows.
export const opened = signal(0)

// shown is a note to the reader, such as where a file was saved; '': none.
export const shown = signal('')

// acting says whether this page may do something to the cluster.
export const acting = computed(() => (about.value?.acts.length ?? 0) > 0 && connection.value.state === 'live')

// show moves to a moment and stops following the end.
export function show(index: number): void {
  cursor.value = Math.max(timeline.first, Math.min(index, timeline.end))
  following.value = false
  now()
}

export function followEnd(): void {
  following.value = true
  now()
}

// seconds writes a time as the page shows it: seconds since the beginning.
export function seconds(at: number, digits = 3): string {
  return ((at - timeline.zero) / 1e6).toFixed(digits)
}
