import type { LoadFrame, Report, ReportsFrame } from '../../model/frames'
import type { RequestStep } from '../../model/types'
import type { World } from '../../model/world'

// What the charts show: rows over time, made of the frames of a live cluster or of the requests in a trace.

// Columns of a chart: seconds, and a value for each of them; null where nothing was measured.
export interface Columns {
  at: number[]
  rate: (number | null)[]
  p50: (number | null)[]
  p99: (number | null)[]
}

// The longest time between two frames over which a rate means something.
const gap = 5

// Operations a second and latencies in milliseconds, from the counters of a live cluster.
export function fromLoad(frames: readonly LoadFrame[], origin: number): Columns {
  const out: Columns = { at: [], rate: [], p50: [], p99: [] }
  frames.forEach((f, i) => {
    const before = frames[i - 1]
    const seconds = before ? (f.at_us - before.at_us) / 1e6 : 0
    const done = before ? f.acknowledged - before.acknowledged : 0
    out.at.push((f.at_us - origin) / 1e6)
    out.rate.push(before && seconds > 0 && seconds < gap && done >= 0 ? done / seconds : null)
    out.p50.push(f.p50_us > 0 ? f.p50_us / 1000 : null)
    out.p99.push(f.p99_us > 0 ? f.p99_us / 1000 : null)
  })
  return out
}

// The same from when each request was asked and answered, by steps of so many seconds.
export function fromRequests(events: readonly RequestStep[], origin: number, step: number): Columns {
  const asked = new Map<string, number>()
  const steps = new Map<number, number[]>()
  let last = -1
  for (const e of events) {
    const key = `${e.client}:${e.number}`
    const slot = Math.floor((e.at_us - origin) / 1e6 / step)
    last = Math.max(last, slot)
    if (e.step === 'asked') {
      if (!asked.has(key)) asked.set(key, e.at_us)
      continue
    }
    const begun = asked.get(key)
    if (e.step !== 'answered') continue
    const took = steps.get(slot) ?? []
    took.push(begun === undefined ? -1 : e.at_us - begun)
    steps.set(slot, took)
    asked.delete(key)
  }
  const out: Columns = { at: [], rate: [], p50: [], p99: [] }
  for (let slot = 0; slot <= last; slot++) {
    const all = steps.get(slot) ?? []
    const took = all.filter(t => t >= 0).sort((a, b) => a - b)
    out.at.push((slot + 0.5) * step)
    out.rate.push(all.length / step)
    out.p50.push(rank(took, 0.5))
    out.p99.push(rank(took, 0.99))
  }
  return out
}

// The nearest rank of sorted microseconds, in milliseconds.
function rank(sorted: readonly number[], share: number): number | null {
  if (sorted.length === 0) return null
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]! / 1000
}

// A step that gives some eighty points, of the round lengths that people read.
export function stepFor(seconds: number): number {
  for (const step of [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60]) {
    if (seconds / step <= 80) return step
  }
  return 300
}

// A fault on the axis.
export interface Mark {
  at: number // seconds
  what: string
  healed: boolean
}

// The faults to mark, in the order of time.
export function marks(world: World, origin: number): Mark[] {
  const out: Mark[] = []
  for (const f of world.faults) {
    out.push({ at: (f.firedAt - origin) / 1e6, what: f.what, healed: false })
    if (f.healedAt >= 0) out.push({ at: (f.healedAt - origin) / 1e6, what: `${f.what} is over`, healed: true })
  }
  return out.sort((a, b) => a.at - b.at)
}

// Sizes on disk by replica, in MiB; null while a replica does not run.
export interface Sizes {
  at: number[]
  journal: (number | null)[][]
  state: (number | null)[][]
}

// The sizes that replicas reported.
export function sizes(frames: readonly ReportsFrame[], origin: number, replicas: number): Sizes {
  const column = (of: (r: Report) => number) =>
    Array.from({ length: replicas }, (_, id) =>
      frames.map(f => {
        const r = f.reports[id]
        return r ? of(r) / (1 << 20) : null
      }),
    )
  return {
    at: frames.map(f => (f.at_us - origin) / 1e6),
    journal: column(r => r.journal_bytes),
    state: column(r => r.store_bytes),
  }
}
