import { GROUPS } from '../model/groups'
import { history, moment, opened, timeline } from '../store/store'
import { look, pinned } from './camera'

// When a recording is opened, the diagram shows about so many messages that each can be seen.
const SEEN = 80
// GAP is a silence that ends what belongs together, in microseconds.
const GAP = 25_000

let framed = 0

// frameOnce chooses how much time a new recording shows, around the moment at which it was opened.
export function frameOnce(): void {
  if (framed === opened.value) return
  framed = opened.value
  pinned.value = false
  const time = moment.peek().at
  const { arrows } = history
  let seen = 0
  let until = time
  for (let i = arrows.touching(time); i < arrows.list.length && seen < SEEN; i++) {
    const a = arrows.list[i]
    if (!a || a.start < time || a.group === QUIET) continue
    if (seen > 12 && a.start - until > GAP) break
    seen++
    until = a.start
  }
  const span = Math.max(4000, (until - time) * 1.5)
  look(Math.max(timeline.zero + 0.96 * span, time + 0.8 * span), span)
}

// QUIET is the group of routine messages, which are not shown at first.
const QUIET = GROUPS.length - 1
