import { requestOf } from './request'
import { type Message, NOWHERE, type TraceEvent } from './types'

// Words for people. A sentence has a subject and a verb, and the field's term where there is one.

export const party = (id: number): string => (id === NOWHERE ? 'a client' : `replica ${id}`)
export const short = (digest: string | undefined): string => (digest ?? '').slice(0, 8)

// and lists things: "1", "1 and 2", "0, 1 and 3".
export function and(things: readonly (number | string)[]): string {
  if (things.length < 2) return things.join('')
  return `${things.slice(0, -1).join(', ')} and ${things[things.length - 1]}`
}

export const replicas = (ids: readonly number[]): string => `replica${ids.length === 1 ? '' : 's'} ${and(ids)}`

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en')} ${n === 1 ? one : many}`

// duration writes microseconds in the unit in which they are read best.
export function duration(us: number): string {
  const d = Math.abs(us)
  if (d < 1000) return `${Math.round(us)} µs`
  if (d < 10_000) return `${(us / 1000).toFixed(2)} ms`
  if (d < 1_000_000) return `${(us / 1000).toFixed(d < 100_000 ? 1 : 0)} ms`
  return `${(us / 1e6).toFixed(d < 10e6 ? 2 : 1)} s`
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  if (n < 1e6) return `${(n / 1e3).toFixed(n < 1e4 ? 1 : 0)} kB`
  if (n < 1e9) return `${(n / 1e6).toFixed(n < 1e7 ? 1 : 0)} MB`
  return `${(n / 1e9).toFixed(1)} GB`
}

// messageName is what a message is called in a sentence.
export function messageName(m: Message): string {
  if (!m.type) return 'a frame that cannot be decoded'
  const at = m.seq !== undefined ? ` for slot ${m.seq}` : ''
  const view = m.view !== undefined && m.type !== 'status' ? ` in view ${m.view}` : ''
  switch (m.type) {
    case 'request':
    case 'reply': {
      const r = requestOf(m)
      const which = r ? `request ${r.number} of client ${r.client}` : 'a request'
      return m.type === 'reply' ? `a reply to ${which}` : which
    }
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return `a ${m.type}${at}${view}`
    case 'checkpoint':
      return `a checkpoint of slot ${m.seq}`
    case 'suspect':
      return `its suspicion of view ${m.view}'s primary`
    case 'view-change':
      return `a view-change to view ${m.view}`
    case 'new-view':
      return `the new-view of view ${m.view}`
    case 'status':
      return 'its status'
    default:
      return `a ${m.type}${at}`
  }
}

// meaning says what a type of message is for.
export function meaning(type: string): string {
  return MEANINGS[type] ?? ''
}

const MEANINGS: Record<string, string> = {
  request: 'A client asks for an operation.',
  'pre-prepare': 'The primary proposes which requests get this sequence number.',
  prepare: 'A backup says that it accepted this proposal, and no other, for this slot.',
  commit: 'A replica says that a quorum prepared the same proposal, so no other can be.',
  reply: 'A replica tells the result. The client believes it when f + 1 replicas say the same.',
  checkpoint: 'A replica says which state it has after this slot. A quorum of equal ones makes it stable.',
  suspect: 'A replica says that it does not trust the primary any more.',
  'view-change': 'A replica asks for the next view, and tells what it has prepared.',
  'new-view': 'The next primary shows a quorum of view-changes and what follows from them.',
  heartbeat: 'The primary says that it is there.',
  status: 'A replica says how far it is, so that others can send what it lacks.',
  held: 'A replica that has started asks what the others have that it signed.',
  'held-by': 'What a replica has of statements that the other signed.',
  fetch: 'A replica asks for the requests behind a digest.',
  'stable-notice': 'A replica shows the certificate of a stable checkpoint.',
  attached: 'A replica accepts a client on its link.',
}

// told says in a sentence what any event is.
export function told(e: TraceEvent): string {
  const who = e.replica === NOWHERE ? '' : `replica ${e.replica}`
  switch (e.event) {
    case 'sent':
      return `${who} sends ${party(e.to)} ${messageName(e.message)}`
    case 'received':
      return `${who} receives ${messageName(e.message)} from ${party(e.from)}`
    case 'refused':
      return `${who} refuses ${messageName(e.message)} from ${party(e.from)}: ${e.why}`
    case 'dropped':
      return `${who} has no use for ${messageName(e.message)}: ${e.why}`
    case 'quarantined':
      return `${who} does not read ${party(e.from)} for ${duration(e.for_us)}, for what came from it`
    case 'phase': {
      const votes = e.phase === 'pre-prepared' ? '' : `, ${e.votes} of ${e.quorum} votes`
      return `slot ${e.seq} is ${e.phase} at ${who}${votes} (view ${e.view}, ${short(e.digest)})`
    }
    case 'executed':
      return `${who} has executed slot ${e.seq}${e.requests ? `: ${plural(e.requests, 'request')}` : ', which is empty'}`
    case 'view':
      if (e.step === 'suspected') return `${who} suspects the primary of view ${e.view}: ${cause(e.cause)}`
      if (e.step === 'asked') return `${who} asks for view ${e.view}: ${cause(e.cause)}`
      return `${who} enters view ${e.view}: ${cause(e.cause)}`
    case 'checkpoint':
      return e.step === 'taken'
        ? `${who} takes a checkpoint after slot ${e.seq} (${short(e.digest)})`
        : `the checkpoint of slot ${e.seq} is stable at ${who} (${short(e.digest)})`
    case 'synced':
      return `${who} has ${plural(e.records, 'record')} on disk${e.took_us ? ` after ${duration(e.took_us)}` : ''}`
    case 'transfer':
      return transfer(who, e.step, e.seq, e.share, e.bytes)
    case 'evidence':
      return `${who} holds proof that replica ${e.against} lies: ${e.proves}`
    case 'diverged':
      return `${who} has another state after slot ${e.seq} than the stable one: ${short(e.own)}, not ${short(e.stable)}`
    case 'split':
      return `the checkpoint of slot ${e.seq} can never be stable: ${e.votes
        .map(v => `replica ${v.replica} says ${short(v.digest)}`)
        .join(', ')}`
    case 'forgot':
      return `${who} forgot what it signed: replica ${e.witness} shows its ${e.said}`
    case 'process':
      return process(who, e.step, e.why, e.seq)
    case 'fault':
      if (isScript(e.what)) return faultWords(e.what)
      return `${e.step === 'healed' ? 'mended' : 'fault'}: ${faultWords(e.what)}`
    case 'request':
      return e.step === 'asked'
        ? `client ${e.client} asks request ${e.number}`
        : `client ${e.client} has the answer to request ${e.number}${e.seq ? `, executed in slot ${e.seq}` : ''}`
    case 'lost':
      return `${plural(e.events, 'event')} of ${who || 'the trace'} came too fast and are not in the trace`
    default:
      return 'something that this page does not know'
  }
}

function cause(c: string): string {
  switch (c) {
    case 'timer':
      return 'its timer ran out'
    case 'evidence':
      return 'it holds proof that the primary lies'
    case 'suspect':
      return 'enough replicas suspect the primary'
    default:
      return `on a ${c}`
  }
}

function transfer(who: string, step: string, seq: number, share?: number, received?: number): string {
  switch (step) {
    case 'begun':
      return `${who} begins to fetch the state of checkpoint ${seq} from the others`
    case 'progress':
      return `${who} has ${Math.round(100 * (share ?? 0))} % of the state of checkpoint ${seq}, ${bytes(received ?? 0)} received`
    case 'installed':
      return `${who} has the state of checkpoint ${seq}`
    case 'resumed':
      return `${who} goes on fetching the state of checkpoint ${seq}`
    case 'starving':
      return `${who} finds nobody who serves a usable state of checkpoint ${seq}`
    default:
      return `the store of ${who} does not hold the state that it executed at slot ${seq}`
  }
}

function process(who: string, step: string, why?: string, seq?: number): string {
  const because = why ? `: ${why}` : ''
  switch (step) {
    case 'started':
      return `${who} starts${seq ? `, with ${plural(seq, 'slot')} executed` : ''}${because}`
    case 'crashed':
      return `${who} crashes${because}`
    case 'stopped':
      return `${who} stops${because}`
    case 'paused':
      return `${who} is paused${because}`
    case 'resumed':
      return `${who} goes on${because}`
    default:
      return `${who}${because}`
  }
}

// isFault says whether a fault event tells of a fault itself. Runs also note the rules of the links behind it.
export const isFault = (what: string): boolean => !what.startsWith('links: ')

// isScript says whether such an event tells of what a run does besides faults: its load, and what its script sends.
export const isScript = (what: string): boolean => /^(load: |submit )|by script$/.test(what)

// faultWords makes a sentence of the words in which a run names its faults, where it can.
export function faultWords(what: string): string {
  const liar = /^replica(\d+): ([\w-]+),?(.*)$/.exec(what)
  if (liar)
    return `replica ${liar[1]} is made malicious: ${liar[2]}${liar[3] ? ` (${liar[3].replaceAll(',', ', ')})` : ''}`
  const parts = /^partition \[(.*)\]$/.exec(what)
  if (parts) {
    const groups = [...(parts[1] ?? '').matchAll(/\[([\d ]*)\]/g)].map(g => `{${(g[1] ?? '').replaceAll(' ', ', ')}}`)
    return `the links between ${and(groups)} are cut`
  }
  const links = /^link (healed )?\[([\d ]*)\] to \[([\d ]*)\]$/.exec(what)
  if (links) {
    const [, healed, from = '', to = ''] = links
    return `the links from {${from.replaceAll(' ', ', ')}} to {${to.replaceAll(' ', ', ')}} are ${healed ? 'whole again' : 'disturbed'}`
  }
  return what
    .replace(/\bclient c(\d+)\b/g, 'client $1')
    .replace(/\breplica(\d+)\b/g, 'replica $1')
    .replace(/\br(\d+)\b/g, 'replica $1')
    .replace(/\bc(\d+)\b/g, 'client $1')
}
