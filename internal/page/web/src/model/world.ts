import { type Evidence, type Header, NOWHERE, type PhaseName } from './types'

// World is what is known of a cluster at one moment: what its events up to there add up to. A reducer changes it in place;
// whoever shows it only reads.
export interface World {
  replicas: Replica[]
  quorum: number
  slots: Map<number, Slot> // the recent ones, by sequence number
  requests: Map<string, Request> // the recent ones, by requestKey
  suspicions: Map<number, number[]> // view → the replicas that suspect its primary
  evidence: Proof[]
  faults: Fault[]
  counts: { sent: number; received: number; refused: number; dropped: number; missing: number }
  waiting: number // requests that are asked and not answered
  answered: number
  highest: number // sequence number of which anything is known
}

export type Health = 'unknown' | 'running' | 'paused' | 'crashed' | 'stopped'

export interface Replica {
  id: number
  process: Health
  why: string // of the process's state, where it is known
  view: number
  active: boolean // whether the view serves; false during a view change
  suspects: number // the view whose primary it suspects; -1: none
  asked: number // the view that it asked for and that is not active yet; -1: none
  executed: number
  taken: number // its last checkpoint
  low: number // h, the low watermark: its stable checkpoint
  stableDigest: string
  transfer: Transfer | null
  lies: string // the behaviour that was given to it, while it has it
  convictedBy: number[] // replicas that hold proof against it
  diverged: number // the checkpoint at which its state differed from the stable one; 0: never
  forgot: boolean // it was shown what its journal lacks
  quarantines: number[] // peers that it does not read for a while
  refused: number // messages that it did not believe
  last: number // time of its last event
}

export interface Transfer {
  step: 'begun' | 'progress' | 'installed' | 'resumed' | 'starving' | 'damaged'
  seq: number
  share: number
  bytes: number
  since: number
}

export interface Slot {
  seq: number
  digest: string // as the first replica to pre-prepare it has it
  cells: Cell[] // by replica
  requests: number // in its batch; -1: not known
  firstAt: number
}

// Cell is a slot at one replica. Its votes are bits, one for each replica.
export interface Cell {
  phase: '' | PhaseName
  view: number
  digest: string
  prepares: number // votes: how many replicas are known here to have prepared what this one pre-prepared
  commits: number
  bits: Votes[] // the votes behind those numbers, by digest; only of the cell's view
  preparedAt: number // when the quorum closed; -1: not yet
  committedAt: number
  executedAt: number
  checkpoint: '' | 'taken' | 'stable'
}

export interface Votes {
  digest: string
  prepare: number
  commit: number
}

export interface Request {
  key: string
  client: string
  number: number
  askedAt: number
  askedIndex: number
  answeredAt: number // -1: not yet
  seq: number // -1: not known
}

export interface Proof {
  at: number
  index: number // of the event
  holder: number
  proof: Evidence
}

export interface Fault {
  index: number
  what: string
  firedAt: number
  healedAt: number // -1: not yet
  replica: number // at which it happens; NOWHERE: at none in particular
}

export function newWorld(header: Header, quorum = 0): World {
  const n = header.replicas
  return {
    replicas: Array.from({ length: n }, (_, id) => newReplica(id)),
    quorum: quorum || quorumOf(n),
    slots: new Map(),
    requests: new Map(),
    suspicions: new Map(),
    evidence: [],
    faults: [],
    counts: { sent: 0, received: 0, refused: 0, dropped: 0, missing: 0 },
    waiting: 0,
    answered: 0,
    highest: 0,
  }
}

function newReplica(id: number): Replica {
  return {
    id,
    process: 'unknown',
    why: '',
    view: 0,
    active: true,
    suspects: -1,
    asked: -1,
    executed: 0,
    taken: 0,
    low: 0,
    stableDigest: '',
    transfer: null,
    lies: '',
    convictedBy: [],
    diverged: 0,
    forgot: false,
    quarantines: [],
    refused: 0,
    last: -1,
  }
}

export function newCell(): Cell {
  return {
    phase: '',
    view: -1,
    digest: '',
    prepares: 0,
    commits: 0,
    bits: [],
    preparedAt: -1,
    committedAt: -1,
    executedAt: -1,
    checkpoint: '',
  }
}

// clone copies a world so that changes of one do not show in the other. Proofs and events are shared: nobody changes them.
export function clone(w: World): World {
  const slots = new Map<number, Slot>()
  for (const [seq, s] of w.slots) {
    slots.set(seq, { ...s, cells: s.cells.map(c => ({ ...c, bits: c.bits.map(b => ({ ...b })) })) })
  }
  const requests = new Map<string, Request>()
  for (const [key, r] of w.requests) requests.set(key, { ...r })
  return {
    ...w,
    replicas: w.replicas.map(r => ({
      ...r,
      transfer: r.transfer && { ...r.transfer },
      convictedBy: [...r.convictedBy],
      quarantines: [...r.quarantines],
    })),
    slots,
    requests,
    suspicions: new Map([...w.suspicions].map(([view, who]) => [view, [...who]])),
    evidence: [...w.evidence],
    faults: w.faults.map(f => ({ ...f })),
    counts: { ...w.counts },
  }
}

// faultyOf is f: how many of n replicas may be faulty.
export const faultyOf = (n: number): number => Math.floor((n - 1) / 3)
// quorumOf is Q: so many that two quorums have a correct replica in common.
export const quorumOf = (n: number): number => Math.ceil((n + faultyOf(n) + 1) / 2)

export const primaryOf = (w: World, view: number): number =>
  w.replicas.length > 0 ? view % w.replicas.length : NOWHERE

export const requestKey = (client: number | string, number: number): string => `${client}/${number}`

// clusterView is the view that is active at most replicas, and at how many.
export function clusterView(w: World): { view: number; at: number } {
  const active = new Map<number, number>()
  let best = { view: 0, at: 0 }
  for (const r of w.replicas) {
    if (!r.active || r.process === 'crashed' || r.process === 'stopped') continue
    const at = (active.get(r.view) ?? 0) + 1
    active.set(r.view, at)
    if (at > best.at || (at === best.at && r.view > best.view)) best = { view: r.view, at }
  }
  return best
}
