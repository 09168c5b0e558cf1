import { computed, signal } from '@preact/signals'
import {
  connection,
  cursor,
  followEnd,
  following,
  frames,
  history,
  moment,
  PACE,
  paced,
  selected,
  show,
  timeline,
  version,
} from './store'

// The player moves the moment that is shown: by itself at a speed, or by steps.

export const SPEEDS: readonly number[] = [0.001, 0.01, 0.1, 1, 10]

export const playing = signal(false)
export const speed = signal(0.01)
// clock is the time that is shown. While it plays, it runs on between events.
const clock = signal(0)

// latest is the newest time that anything is known of.
export const latest = computed(() => {
  version.value
  return Math.max(timeline.lastAt, frames.reports.at(-1)?.at_us ?? 0, frames.loads.at(-1)?.at_us ?? 0)
})

export const shownTime = computed(() => {
  if (playing.value) return clock.value
  return following.value ? latest.value : moment.value.at
})

let last = 0
let moved = 0

export function play(): void {
  if (playing.value) return
  const atEnd = following.value || moment.value.index >= timeline.end
  // At the end of a recording there is nothing left to play: it begins again.
  if (atEnd && connection.value.state === 'live') return
  if (atEnd) show(timeline.first)
  clock.value = moment.value.at
  playing.value = true
  last = performance.now()
  requestAnimationFrame(tick)
}

export function pause(): void {
  if (playing.value) show(timeline.momentAt(clock.value))
  playing.value = false
  if (following.value) show(timeline.end)
}

export function toggle(): void {
  if (playing.value || (following.value && connection.value.state === 'live')) pause()
  else play()
}

function tick(now: number): void {
  if (!playing.value) return
  // A page that was hidden for a while goes on where it was, and does not jump.
  const passed = Math.min(100, Math.max(0, now - last)) * 1000 * speed.value
  last = now
  clock.value += passed
  const index = timeline.momentAt(clock.value)
  following.value = false
  // The diagram follows the clock; words and tables follow the cursor, which moves at a pace that can be read.
  const over = index >= timeline.end
  if (over || now - moved >= PACE) {
    moved = now
    cursor.value = index
    paced()
  }
  if (over) {
    playing.value = false
    if (connection.value.state === 'live') followEnd()
    return
  }
  requestAnimationFrame(tick)
}

// look moves to the moment just after an event, and selects it.
export function lookAt(index: number): void {
  if (index < timeline.first || index >= timeline.end) return
  playing.value = false
  selected.value = index
  show(index + 1)
}

// step goes to the next or the previous event. Writes to disk are passed over, for nothing of them is shown.
export function step(by: 1 | -1): void {
  let i = moment.value.index - 1
  do i += by
  while (timeline.at(i)?.event === 'synced')
  if (i < timeline.first) begin()
  else lookAt(Math.min(i, timeline.end - 1))
}

// stepSentence goes to the next or the previous event of which a sentence tells.
export function stepSentence(by: 1 | -1): void {
  const { list } = history.sentences
  const told = history.sentences.before(moment.value.index)
  // At the moment of a sentence, the one before it is the next but one.
  for (let i = by > 0 ? told : told - 1; i >= 0 && i < list.length; i += by) {
    const s = list[i]
    if (!s || s.tone === 'quiet' || s.index === moment.value.index - 1) continue
    lookAt(s.index)
    return
  }
}

// stepCause goes to what made the selected event happen, or the last one that happened: the deciding cause, or another in
// the order in which they are listed. It says whether there is such.
export function stepCause(which = 0): boolean {
  const from = selected.value >= 0 ? selected.value : moment.value.index - 1
  const cause = history.causes(from)[which]
  if (cause) lookAt(cause.index)
  return cause !== undefined
}

export function begin(): void {
  playing.value = false
  selected.value = -1
  show(timeline.first)
}

export function end(): void {
  playing.value = false
  if (connection.value.state === 'live') followEnd()
  else show(timeline.end)
}

export function jumpTo(time: number): void {
  playing.value = false
  show(timeline.momentAt(time))
}
