import { computed, signal } from '@preact/signals'
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

// beat paces what is drawn of the moment while it moves by itself: words and tables that change sixty times a second can be
// read by nobody. The diagram has its own pace.
const beat = signal(0)
const PACE = 120
let beaten = 0
let due = 0

export function paced(): void {
  if (due !== 0) return
  due = window.setTimeout(
    () => {
      due = 0
      beaten = performance.now()
      beat.value++
    },
    Math.max(0, beaten + PACE - performance.now()),
  )
}

export const moment = computed<Moment>(() => {
  beat.value
  const index = following.value ? timeline.end : Math.max(timeline.first, Math.min(cursor.value, timeline.end))
  return { world: timeline.worldAt(index), at: timeline.timeAt(index), index }
})

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
}

export function followEnd(): void {
  following.value = true
}

// seconds writes a time as the page shows it: seconds since the beginning.
export function seconds(at: number, digits = 3): string {
  return ((at - timeline.zero) / 1e6).toFixed(digits)
}
