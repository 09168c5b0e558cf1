import type { Message, Phase, Process, RequestStep, TraceEvent, Transfer, ViewStep } from './types'
import { isFault } from './words'
import { type Cell, newCell, type Replica, requestKey, type Slot, type World } from './world'

// SLOTS and REQUESTS bound what a world remembers, so that copies of it stay small.
const SLOTS = 400
const REQUESTS = 600

// reduce changes a world by one event. Index is the event's place in the timeline.
export function reduce(w: World, e: TraceEvent, index: number): void {
  const r = w.replicas[e.replica]
  if (r) r.last = e.at_us
  switch (e.event) {
    case 'sent':
      w.counts.sent++
      if (r) ownVote(w, r, e.message, e.at_us)
      break
    case 'received':
      w.counts.received++
      if (r) {
        vote(w, r, e.from, e.message, e.at_us)
        if (e.message.type === 'suspect') suspect(w, e.message.view ?? 0, e.from)
      }
      break
    case 'refused':
      w.counts.refused++
      if (r) r.refused++
      break
    case 'dropped':
      w.counts.dropped++
      break
    case 'lost':
      w.counts.missing += e.events
      break
    case 'quarantined':
      if (r && !r.quarantines.includes(e.from)) r.quarantines.push(e.from)
      break
    case 'phase':
      if (r) phase(w, r, e)
      break
    case 'executed':
      if (r) {
        reaches(w, e.seq)
        r.executed = Math.max(r.executed, e.seq)
        const slot = slotAt(w, e.seq, e.at_us)
        cellOf(slot, r.id).executedAt = e.at_us
        if (e.requests > 0 || slot.requests < 0) slot.requests = e.requests
      }
      break
    case 'view':
      if (r) viewStep(w, r, e)
      break
    case 'checkpoint':
      if (r) checkpoint(w, r, e.step, e.seq, e.digest, e.at_us)
      break
    case 'transfer':
      if (r) transfer(w, r, e)
      break
    case 'evidence': {
      w.evidence.push({ at: e.at_us, index, holder: e.replica, proof: e })
      const against = w.replicas[e.against]
      if (against && !against.convictedBy.includes(e.replica)) against.convictedBy.push(e.replica)
      break
    }
    case 'diverged':
      if (r) r.diverged = e.seq
      break
    case 'forgot':
      if (r) r.forgot = true
      break
    case 'process':
      if (r) process(w, r, e)
      break
    case 'fault':
      if (isFault(e.what)) fault(w, e.what, e.step === 'fired', e.at_us, e.replica, index)
      break
    case 'request':
      request(w, e, index)
      break
    default: // synced, split: they change nothing that is shown of a replica
  }
}

export function slotAt(w: World, seq: number, at: number): Slot {
  let slot = w.slots.get(seq)
  if (!slot) {
    slot = { seq, digest: '', cells: w.replicas.map(newCell), requests: -1, firstAt: at }
    w.slots.set(seq, slot)
    if (w.slots.size > SLOTS) forgetSlots(w)
  }
  return slot
}

// reaches notes how far the order is. Only steps of replicas count: a message may name any number, far ahead too.
function reaches(w: World, seq: number): void {
  if (seq > w.highest) w.highest = seq
}

function forgetSlots(w: World): void {
  for (const seq of w.slots.keys()) {
    if (seq <= w.highest - (SLOTS * 3) / 4 || seq > w.highest + SLOTS / 4) w.slots.delete(seq)
  }
}

function cellOf(slot: Slot, replica: number): Cell {
  let cell = slot.cells[replica]
  if (!cell) {
    cell = newCell()
    slot.cells[replica] = cell
  }
  return cell
}

// ownVote counts what a replica says itself: its own vote is part of each of its quorums.
function ownVote(w: World, r: Replica, m: Message, at: number): void {
  if (m.type === 'prepare' || m.type === 'commit' || m.type === 'pre-prepare') vote(w, r, r.id, m, at)
}

// vote counts a vote of a replica as another one knows it, before a quorum closes. Only then does an event tell the number.
function vote(w: World, at: Replica, from: number, m: Message, time: number): void {
  const kind = m.type
  if ((kind !== 'prepare' && kind !== 'commit' && kind !== 'pre-prepare') || from < 0 || from > 30) return
  const { view = 0, seq = 0, digest = '' } = m
  // A pre-prepare is its primary's vote, whoever passes it on.
  const voter = kind === 'pre-prepare' ? view % w.replicas.length : from
  if (seq <= at.low || view < at.view) return
  const cell = cellOf(slotAt(w, seq, time), at.id)
  if (view < cell.view) return
  if (view > cell.view) renew(cell, view)
  let votes = cell.bits.find(b => b.digest === digest)
  if (!votes) {
    if (cell.bits.length >= w.replicas.length) return
    votes = { digest, prepare: 0, commit: 0 }
    cell.bits.push(votes)
  }
  if (kind === 'commit') votes.commit |= 1 << voter
  else votes.prepare |= 1 << voter
  count(cell)
}

// renew begins a slot anew in a later view. What was executed stays executed.
function renew(cell: Cell, view: number): void {
  cell.view = view
  cell.bits = []
  cell.prepares = 0
  cell.commits = 0
  if (cell.phase !== 'committed') {
    cell.phase = ''
    cell.digest = ''
    cell.preparedAt = -1
  }
}

function count(cell: Cell): void {
  const votes = cell.bits.find(b => b.digest === cell.digest)
  if (!votes || cell.digest === '') return
  cell.prepares = Math.max(cell.prepares, bits(votes.prepare))
  cell.commits = Math.max(cell.commits, bits(votes.commit))
}

export function bits(mask: number): number {
  let n = 0
  for (let m = mask; m !== 0; m &= m - 1) n++
  return n
}

function phase(w: World, r: Replica, e: Phase): void {
  w.quorum = e.quorum
  reaches(w, e.seq)
  // A history that begins in the middle tells of the view only thus.
  if (e.view > r.view) {
    r.view = e.view
    r.active = true
  }
  const slot = slotAt(w, e.seq, e.at_us)
  if (slot.digest === '') slot.digest = e.digest
  if (e.requests !== undefined) slot.requests = e.requests
  const cell = cellOf(slot, r.id)
  if (e.view > cell.view) renew(cell, e.view)
  cell.digest = e.digest
  if (e.phase === 'pre-prepared') {
    if (cell.phase === '') cell.phase = 'pre-prepared'
    cell.prepares = Math.max(cell.prepares, e.votes)
  } else if (e.phase === 'prepared') {
    if (cell.phase !== 'committed') cell.phase = 'prepared'
    cell.prepares = Math.max(cell.prepares, e.votes)
    if (cell.preparedAt < 0) cell.preparedAt = e.at_us
  } else {
    cell.phase = 'committed'
    cell.commits = Math.max(cell.commits, e.votes)
    if (cell.committedAt < 0) cell.committedAt = e.at_us
  }
  count(cell)
}

function viewStep(w: World, r: Replica, e: ViewStep): void {
  if (e.step === 'suspected') {
    r.suspects = e.view
    suspect(w, e.view, r.id)
  } else if (e.step === 'asked') {
    r.asked = e.view
    r.view = Math.max(r.view, e.view)
    r.active = false
    for (const who of e.suspects ?? []) suspect(w, e.view - 1, who)
  } else {
    r.view = e.view
    r.active = true
    if (r.asked <= e.view) r.asked = -1
    if (r.suspects < e.view) r.suspects = -1
  }
}

function suspect(w: World, view: number, who: number): void {
  const known = w.suspicions.get(view) ?? []
  if (!known.includes(who))
    w.suspicions.set(
      view,
      [...known, who].sort((a, b) => a - b),
    )
  if (w.suspicions.size > 32) w.suspicions.delete(Math.min(...w.suspicions.keys()))
}

function checkpoint(w: World, r: Replica, step: 'taken' | 'stable', seq: number, digest: string, at: number): void {
  if (step === 'taken') r.taken = Math.max(r.taken, seq)
  else if (seq >= r.low) {
    r.low = seq
    r.stableDigest = digest
  }
  const cell = cellOf(slotAt(w, seq, at), r.id)
  if (cell.checkpoint !== 'stable') cell.checkpoint = step
}

function transfer(_: World, r: Replica, e: Transfer): void {
  if (e.step === 'installed') {
    r.transfer = null
    r.executed = Math.max(r.executed, e.seq)
    r.low = Math.max(r.low, e.seq)
    return
  }
  r.transfer = {
    step: e.step,
    seq: e.seq,
    share: e.share ?? r.transfer?.share ?? 0,
    bytes: e.bytes ?? r.transfer?.bytes ?? 0,
    since: r.transfer?.since ?? e.at_us,
  }
}

function process(_: World, r: Replica, e: Process): void {
  if (e.step === 'noted') return
  r.why = e.why ?? ''
  r.process = e.step === 'started' || e.step === 'resumed' ? 'running' : e.step
  if (e.step !== 'started') return
  // A process starts with what its journal has, and with nothing else.
  r.view = e.view ?? 0
  r.executed = e.seq ?? 0
  r.active = true
  r.suspects = -1
  r.asked = -1
  r.transfer = null
  r.quarantines = []
}

// target finds the replica that a fault's words name: "replica0: …", "crash of r4".
export function target(what: string): number {
  const found = /\breplica ?(\d+)\b|\br(\d+)\b/.exec(what)
  return found ? Number(found[1] ?? found[2]) : -1
}

// What is said of a liar: a scenario names its behaviour alone, a page that acts says what it does.
const LIES = /^replica ?(\d+)(?: turns malicious)?: (.+)$/
const HONEST = /^replica ?(\d+) is honest again$/
const ALL = /^everything heals\b/

function fault(w: World, what: string, fired: boolean, at: number, where: number, index: number): void {
  const replica = where >= 0 ? where : target(what)
  const liar = LIES.exec(what) ?? HONEST.exec(what)
  const r = liar ? w.replicas[Number(liar[1])] : undefined
  if (fired) {
    w.faults.push({ index, what, firedAt: at, healedAt: -1, replica })
    if (r && liar?.[2]) r.lies = liar[2]
    return
  }
  const honest = liar && !liar[2] ? r : undefined
  const over = w.faults.filter(
    f => f.healedAt < 0 && (ALL.test(what) || (honest && f.replica === honest.id && LIES.test(f.what))),
  )
  const same = w.faults.findLast(f => f.healedAt < 0 && (f.what === what || what.endsWith(f.what)))
  for (const f of over.length > 0 || !same ? over : [same]) f.healedAt = at
  if (over.length === 0 && !same) w.faults.push({ index, what, firedAt: at, healedAt: at, replica })
  if (r) r.lies = ''
  if (ALL.test(what)) for (const each of w.replicas) each.lies = ''
}

function request(w: World, e: RequestStep, index: number): void {
  const key = requestKey(e.client, e.number)
  if (e.step === 'asked') {
    w.waiting++
    w.requests.set(key, {
      key,
      client: String(e.client),
      number: e.number,
      askedAt: e.at_us,
      askedIndex: index,
      answeredAt: -1,
      seq: -1,
    })
    if (w.requests.size > REQUESTS) forgetRequests(w)
    return
  }
  w.answered++
  const r = w.requests.get(key)
  if (!r) return
  if (r.answeredAt < 0) w.waiting--
  r.answeredAt = e.at_us
  r.seq = e.seq ?? -1
}

// forgetRequests drops the oldest answered ones; those that still wait are what somebody looks for.
function forgetRequests(w: World): void {
  let surplus = w.requests.size - (REQUESTS * 3) / 4
  for (const [key, r] of w.requests) {
    if (surplus <= 0) return
    if (r.answeredAt < 0) continue
    w.requests.delete(key)
    surplus--
  }
}

// oldestWaiting is the request that has waited longest.
export function oldestWaiting(w: World): ReturnType<typeof w.requests.get> {
  for (const r of w.requests.values()) if (r.answeredAt < 0) return r
  return undefined
}
