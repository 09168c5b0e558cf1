// What a replica's card says: its own report where there is one, and else what its events add up to.

import type { About, Recovery, Report } from '../../model/frames'
import { clusterView, type Replica, type World } from '../../model/world'
import { bytes, percent, replicas, span } from './format'

export type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'note'

// The contents of a replica's card.
export interface Standing {
  id: number
  role: string
  process: { word: string; tone: Tone; why: string }
  health: { text: string; tone: Tone }
  view: number
  active: boolean
  lies: string
  convictedBy: number[]
  accuses: { replica: number; kind: string }[]
  h: number
  H: number // h where the window is not known, as in some traces
  executed: number
  taken: number
  fetching?: { text: string; share: number }
  disk?: { journal: string; state: string; free: string; wait: string }
  memory?: string
  refused: number
}

const processes: Record<Replica['process'], { word: string; tone: Tone }> = {
  unknown: { word: 'not heard of', tone: 'calm' },
  running: { word: 'runs', tone: 'good' },
  paused: { word: 'paused', tone: 'warn' },
  crashed: { word: 'crashed', tone: 'bad' },
  stopped: { word: 'stopped', tone: 'bad' },
}

// What is known of a replica. The report is undefined where there are none, and null if the replica does not run.
export function standing(about: About, world: World, id: number, report: Report | null | undefined): Standing {
  const r = world.replicas[id]!
  const down = r.process === 'crashed' || r.process === 'stopped' || report === null
  const process =
    down && r.process === 'running'
      ? { word: 'does not run', tone: 'bad' as Tone }
      : processes[report && r.process === 'unknown' ? 'running' : r.process]
  const h = Math.max(r.low, report?.stable_checkpoint ?? 0)
  return {
    id,
    role: role(about, world, r, report, down),
    process: { ...process, why: r.why },
    health: health(r, report, down),
    view: Math.max(r.view, report?.view ?? 0),
    active: active(r, report),
    lies: r.lies,
    convictedBy: r.convictedBy,
    accuses: report?.convicted ?? [],
    h,
    H: about.window > 0 ? h + about.window : h,
    executed: Math.max(r.executed, report?.executed ?? 0),
    taken: Math.max(r.taken, h),
    fetching: fetching(r, report),
    disk: report
      ? {
          journal: bytes(report.journal_bytes),
          state: bytes(report.store_bytes),
          free: report.disk_free_bytes ? bytes(report.disk_free_bytes) : '',
          wait: report.turn_ms && report.turn_ms > 500 ? span(report.turn_ms) : '',
        }
      : undefined,
    memory: report ? bytes(report.rss_bytes) : undefined,
    refused: Math.max(r.refused, report?.refused ?? 0),
  }
}

function role(about: About, w: World, r: Replica, report: Report | null | undefined, down: boolean): string {
  if (down) return 'away'
  if (report?.recovery) return report.recovery.phase
  if (!active(r, report)) return 'changes views'
  const view = report && !newer(r, report) ? report.view : clusterView(w).view
  return r.id === view % about.replicas ? 'primary' : 'backup'
}

// newer is whether events tell of a later view than the report, which is up to a second old.
const newer = (r: Replica, report: Report) => r.view > report.view

const active = (r: Replica, report: Report | null | undefined) =>
  report && !newer(r, report) ? report.active : r.active

function health(r: Replica, report: Report | null | undefined, down: boolean): { text: string; tone: Tone } {
  if (down) return { text: r.why || 'it does not run', tone: 'bad' }
  if (report && report.health !== 'ok') return { text: report.health, tone: 'warn' }
  if (report?.recovery) return { text: recovering(report.recovery), tone: 'calm' }
  if (r.diverged > 0) return { text: `its state differs from the stable one at s${r.diverged}`, tone: 'bad' }
  if (r.forgot) return { text: 'it was shown what its journal lacks', tone: 'warn' }
  if (r.suspects >= 0 && r.suspects >= r.view)
    return { text: `suspects the primary of view ${r.suspects}`, tone: 'warn' }
  const unread = r.quarantines.filter(id => id >= 0)
  if (unread.length > 0) return { text: `does not read ${replicas(unread)} for a while`, tone: 'warn' }
  return { text: 'ok', tone: 'good' }
}

// What a replica that comes back waits for.
function recovering(r: Recovery): string {
  if (r.phase === 'forgotten') {
    return `asks the others what it signed: ${r.answered?.length ?? 0} of ${r.needed ?? 0} have answered`
  }
  if (r.phase === 'asking') return 'asks the others whether it lacks something that it signed'
  if (r.silent_until) return `executes, and signs nothing before s${r.silent_until} is stable`
  if (r.from_view !== undefined) return `executes, and votes again from view ${r.from_view} on`
  return r.phase === 'fetching' ? 'fetches the state' : 'executes what the others order'
}

function fetching(r: Replica, report: Report | null | undefined): { text: string; share: number } | undefined {
  const t = report?.recovery?.transfer
  if (t) {
    const left = t.remaining_ms > 0 ? `, ${span(t.remaining_ms)} left` : ''
    return {
      text: `${t.phase} the state of s${t.checkpoint}: ${percent(t.share)}${left}, from ${replicas(t.donors ?? [])}`,
      share: t.share,
    }
  }
  if (!r.transfer || r.transfer.step === 'installed') return undefined
  return { text: `fetches the state of s${r.transfer.seq}: ${percent(r.transfer.share)}`, share: r.transfer.share }
}

// The sequence numbers that all bars share, so that they can be compared.
export interface Scale {
  from: number
  to: number
}

// A scale that shows the window of those who are in front, and as much below it. Who is further behind is told so.
export function scale(all: readonly Standing[]): Scale {
  const to = Math.max(1, ...all.map(s => Math.max(s.H, s.executed)))
  const window = Math.max(1, ...all.map(s => s.H - s.h))
  const lowest = Math.min(...all.map(s => s.h))
  return { from: Math.max(lowest, to - 2 * window), to }
}

// Where a sequence number lies on the scale, 0 to 1.
export function place(s: Scale, seq: number): number {
  return Math.min(1, Math.max(0, (seq - s.from) / Math.max(1, s.to - s.from)))
}

// A client, as its requests show it.
export interface ClientLine {
  name: string
  open: number
  oldest: number // microseconds that its oldest open request has waited; 0: none is open
  last: number // microseconds that its last answered request took; -1: none was answered
}

// The clients of which requests are known, by name.
export function clients(w: World, now: number): ClientLine[] {
  const found = new Map<string, ClientLine & { at: number }>()
  for (const r of w.requests.values()) {
    const c = found.get(r.client) ?? { name: r.client, open: 0, oldest: 0, last: -1, at: -1 }
    if (r.answeredAt < 0) {
      c.open++
      c.oldest = Math.max(c.oldest, now - r.askedAt)
    } else if (r.answeredAt > c.at && r.askedAt >= 0) {
      c.at = r.answeredAt
      c.last = r.answeredAt - r.askedAt
    }
    found.set(r.client, c)
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}
