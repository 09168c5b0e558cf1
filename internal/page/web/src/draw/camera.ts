import { computed, signal } from '@preact/signals'

// The camera says which stretch of time the diagram shows: the time at its right edge, and how long it is. Times are
// microseconds.
export interface View {
  right: number
  span: number
}

export const camera = signal<View>({ right: 1_000_000, span: 1_000_000 })
// pinned says that the reader moved the camera, so that it does not follow the moment any more.
export const pinned = signal(false)

const SHORTEST = 200
const LONGEST = 6 * 3600e6

// spanShown changes when the length does, and not when the camera only moves.
export const spanShown = computed(() => camera.value.span)

export const left = (v: View): number => v.right - v.span

export function look(right: number, span: number): void {
  const s = Math.min(LONGEST, Math.max(SHORTEST, span))
  const v = camera.value
  if (v.right !== right || v.span !== s) camera.value = { right, span: s }
}

// zoom changes the length so that the time at a share of the width (0 left, 1 right) stays where it is.
export function zoom(by: number, share = 0.8): void {
  const v = camera.value
  const span = Math.min(LONGEST, Math.max(SHORTEST, v.span * by))
  const stays = left(v) + share * v.span
  look(stays + (1 - share) * span, span)
}

export function pan(share: number): void {
  const v = camera.value
  pinned.value = true
  look(v.right + share * v.span, v.span)
}

// EDGE is the part of the width that stays free to the right of the moment that is shown.
const EDGE = 0.12

// keep moves the camera so that a time is in view. Following, it stays near the right edge. Before the beginning there is
// nothing to see.
export function keep(time: number, begin: number, follow: boolean): void {
  const v = camera.peek()
  const first = begin + 0.96 * v.span
  if (follow) {
    if (!pinned.value) look(Math.max(first, time + EDGE * v.span), v.span)
    return
  }
  if (time < left(v) + 0.02 * v.span || time > v.right - 0.02 * v.span)
    look(Math.max(first, time + 0.4 * v.span), v.span)
}

// fit shows a whole stretch of time.
export function fitTo(from: number, to: number): void {
  const span = Math.max(SHORTEST, (to - from) * 1.25)
  pinned.value = true
  look(to + (span - (to - from)) / 2, span)
}
