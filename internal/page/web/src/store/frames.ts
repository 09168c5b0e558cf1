import type { LoadFrame, NoteFrame, ReportsFrame, SamplingFrame, VerdictFrame } from '../model/frames'

// Frames keeps what the server said beside the events, each kind in order of time and bounded.
export class Frames {
  reports: ReportsFrame[] = []
  loads: LoadFrame[] = []
  notes: NoteFrame[] = []
  samplings: SamplingFrame[] = []
  verdict: VerdictFrame | null = null

  clear(): void {
    this.reports = []
    this.loads = []
    this.notes = []
    this.samplings = []
    this.verdict = null
  }

  add(f: ReportsFrame | LoadFrame | NoteFrame | SamplingFrame | VerdictFrame): void {
    switch (f.frame) {
      case 'reports':
        keep(this.reports, f)
        break
      case 'load':
        keep(this.loads, f)
        break
      case 'note':
        keep(this.notes, f)
        break
      case 'sampling':
        keep(this.samplings, f)
        break
      case 'verdict':
        this.verdict = f
    }
  }
}

// MOST of each kind is kept: an hour of one a second.
const MOST = 3600

function keep<F extends { at_us: number }>(list: F[], f: F): void {
  list.push(f)
  if (list.length > MOST) list.splice(0, MOST / 4)
}

// lastBefore is the last frame that is not later than a time.
export function lastBefore<F extends { at_us: number }>(list: readonly F[], at: number): F | null {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((list[middle]?.at_us ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return list[low - 1] ?? null
}
