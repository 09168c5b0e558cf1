import { batch } from '@preact/signals'
import type { Frame } from '../model/frames'
import type { Header, TraceEvent } from '../model/types'
import { fetchAbout } from '../wire/api'
import { follow } from '../wire/stream'
import {
  about,
  connection,
  followEnd,
  followed,
  frames,
  history,
  opened,
  paced,
  selected,
  show,
  timeline,
  version,
} from './store'

// BUDGET is how long one frame of the screen reads lines, in milliseconds: what is left waits for the next one. What
// happened before may take more of it, for nobody watches it move.
const BUDGET = 4
const LOADING = 24
// SLOW is the time between two frames from which on the browser misses frames anyway, for its machine is busy: then half
// of the time is spent on reading, or else a live page would fall further and further behind.
const SLOW = 34
const LONGEST = 200
// LATE is how long lines of a live page may have waited here, in milliseconds. From then on more of each frame is spent on
// reading: better to miss frames than to show the past as the present. On a busy machine the time that has passed is not the
// time that was worked.
const LATE = 300
const CATCHING_UP = 40

interface Chunk {
  lines: string[]
  came: number
}

let queue: Chunk[] = []
let place = 0 // in the first chunk
let scheduled = false
let drained = 0 // when that was done last
let behind = false // whether something was left for this frame
let ended = false
let stop: AbortController | null = null

// connect reads the server's stream until `disconnect`, or for ever.
export async function connect(): Promise<void> {
  disconnect()
  const mine = new AbortController()
  stop = mine
  for (;;) {
    try {
      about.value = await fetchAbout()
      break
    } catch (e) {
      connection.value = { state: 'broken', why: e instanceof Error ? e.message : String(e), again: 2000 }
      await new Promise(resolve => setTimeout(resolve, 2000))
      if (mine.signal.aborted) return
    }
  }
  const endless = about.value?.mode === 'live' || about.value?.mode === 'node'
  await follow(
    'api/stream',
    {
      begin() {
        queue = []
        place = 0
        ended = false
        connection.value = { state: 'history' }
      },
      lines(lines) {
        queue.push({ lines, came: performance.now() })
        schedule()
      },
      end() {
        ended = true
        schedule()
      },
      broken(why, again) {
        connection.value = { state: 'broken', why, again }
      },
    },
    endless,
    mine.signal,
  )
}

export function disconnect(): void {
  stop?.abort()
  stop = null
  queue = []
  place = 0
}

// open shows the lines of a file instead of the server's.
export function open(name: string, text: string): void {
  disconnect()
  connection.value = { state: 'file', name }
  queue = [{ lines: text.split('\n'), came: performance.now() }]
  ended = true
  schedule()
}

function schedule(): void {
  if (scheduled) return
  scheduled = true
  // A hidden page gets no frames of the screen, and must still empty its queue.
  if (document.hidden) setTimeout(drain, 50)
  else requestAnimationFrame(drain)
}

function drain(): void {
  scheduled = false
  const now = performance.now()
  const since = now - drained
  drained = now
  const live = connection.peek().state === 'live'
  const missed = behind && since > SLOW ? Math.min(since, LONGEST) / 2 : 0
  const waited = now - (queue[0]?.came ?? now)
  const late = live && waited > LATE ? CATCHING_UP : 0
  const until = now + Math.max(live ? BUDGET : LOADING, missed, late)
  behind = false
  batch(() => {
    while (queue.length > 0) {
      const { lines: chunk } = queue[0] as Chunk
      for (; place < chunk.length; place++) {
        if ((place & 15) === 0 && performance.now() > until) {
          version.value++
          paced()
          behind = true
          schedule()
          return
        }
        line(chunk[place] as string)
      }
      queue.shift()
      place = 0
    }
    version.value++
    paced()
    if (!ended) return
    ended = false
    if (connection.value.state !== 'file') connection.value = { state: 'ended' }
    if (connection.value.state === 'file' || about.value?.mode === 'trace') {
      toStart()
      opened.value++
    }
  })
}

// toStart shows a recording from its beginning, or from the moment for which it was saved.
function toStart(): void {
  const wanted = timeline.header.moment_us
  if (wanted !== undefined) {
    show(timeline.momentAt(wanted))
    return
  }
  // Before the first request there is only the start of the processes.
  let first = timeline.first
  while (first < timeline.end && timeline.at(first)?.event !== 'request') first++
  show(first < timeline.end ? first + 1 : timeline.first)
}

function line(text: string): void {
  if (text === '') return
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    return // the last line of a killed process may be torn
  }
  if (typeof read !== 'object' || read === null) return
  if ('event' in read) history.add(read as TraceEvent)
  else if ('frame' in read) frame(read as Frame)
  else if ('tagma_trace' in read) begin(read as Header)
}

function begin(header: Header): void {
  history.begin(header, about.value?.quorum ?? 0)
  frames.clear()
  selected.value = -1
  followed.value = ''
  followEnd()
}

function frame(f: Frame): void {
  if (f.frame === 'header') begin(f)
  else if (f.frame === 'kept') {
    // After the history of a recording nothing more will come, and its stream ends.
    if (about.value?.mode !== 'trace') connection.value = { state: 'live' }
  } else if (f.frame !== undefined) frames.add(f)
}
