import type { Arrow } from './arrows'
import { basisOf, listIn, signerOf, votesOf } from './certificates'
import { requestOf } from './request'
import type { Message, TraceEvent } from './types'
import { and, told } from './words'

export interface Cause {
  index: number
  why: string
}

// Past is what a search for causes reads.
export interface Past {
  first: number
  replicas: number // in the cluster
  at(index: number): TraceEvent | undefined
  // arrow of a sending or a receipt
  arrowOf(index: number): Arrow | undefined
}

// FAR is how many events a search goes back at most.
const FAR = 60_000

// causesOf lists what made an event happen, the deciding cause first. None: the trace does not show any.
export function causesOf(past: Past, index: number): Cause[] {
  const e = past.at(index)
  if (!e) return []
  // back finds the latest event before this one that fits.
  const back = (fits: (c: TraceEvent) => boolean, why: (c: TraceEvent) => string = told): Cause | null => {
    for (let i = index - 1; i >= past.first && i > index - FAR; i--) {
      const c = past.at(i)
      if (c && fits(c)) return { index: i, why: why(c) }
    }
    return null
  }
  const here = (fits: (c: TraceEvent) => boolean, why?: (c: TraceEvent) => string) =>
    back(c => c.replica === e.replica && fits(c), why)
  const some = (...causes: (Cause | null)[]): Cause[] => causes.filter(c => c !== null)

  switch (e.event) {
    case 'received':
    case 'refused': {
      const a = past.arrowOf(index)
      return a && a.sent >= 0 ? [{ index: a.sent, why: told(past.at(a.sent) ?? e) }] : []
    }
    case 'dropped':
      return some(here(c => c.event === 'received' && c.message.text === e.message.text))
    case 'sent':
      if (e.message.type === 'new-view') {
        const basis = viewChanges(e.message, here)
        if (basis.length > 0) return basis
      }
      return some(sending(e.message, here), ...certificates(e.message, e.replica, here))
    case 'phase': {
      const closed = phaseCause(e, here)
      const votes = votesOf(past, e, index).filter(v => v.index !== closed?.index)
      return some(closed, ...votes.map(v => ({ index: v.index, why: told(past.at(v.index) ?? e) })))
    }
    case 'executed': {
      const committed = here(c => c.event === 'phase' && c.phase === 'committed' && c.seq === e.seq)
      const before = here(c => c.event === 'executed' && c.seq === e.seq - 1)
      const both = some(committed, before)
      return both.sort((a, b) => b.index - a.index)
    }
    case 'view':
      return viewCauses(e, back, here)
    case 'checkpoint':
      if (e.step === 'taken') return some(here(c => c.event === 'executed' && c.seq === e.seq))
      return some(
        here(
          c =>
            (c.event === 'received' || c.event === 'sent') && c.message.seq === e.seq && isCheckpoint(c.message.type),
        ),
        here(c => c.event === 'checkpoint' && c.step === 'taken' && c.seq === e.seq),
      )
    case 'synced':
      return some(here(c => c.event === 'phase' || c.event === 'view' || c.event === 'received'))
    case 'transfer':
      if (e.step === 'begun') {
        return some(
          here(c => c.event === 'received' && c.message.seq === e.seq && isCheckpoint(c.message.type)) ??
            here(received),
        )
      }
      return some(here(c => c.event === 'transfer'))
    case 'evidence':
      return some(
        here(c => c.event === 'received' && c.message.text === e.second.text),
        here(c => c.event === 'received' && c.message.text === e.first.text),
        here(received),
      ).filter((c, i, all) => all.findIndex(o => o.index === c.index) === i)
    case 'diverged':
      return some(here(c => c.event === 'checkpoint' && c.seq === e.seq))
    case 'split':
      return some(here(c => c.event === 'received' && c.message.seq === e.seq && isCheckpoint(c.message.type)))
    case 'forgot':
      return some(here(c => c.event === 'received' && c.from === e.witness))
    case 'quarantined':
      return some(here(c => c.event === 'refused' && c.from === e.from))
    case 'process':
      if (e.step === 'started') return some(here(c => c.event === 'process'))
      return some(back(c => c.event === 'fault' && c.step === 'fired'))
    case 'fault':
      return e.step === 'healed' ? some(back(c => c.event === 'fault' && c.step === 'fired')) : []
    case 'request': {
      if (e.step === 'asked') return []
      const reply = back(c => c.event === 'sent' && c.message.type === 'reply' && answers(c.message, e.number, e.seq))
      const asked = back(
        c => c.event === 'request' && c.step === 'asked' && c.client === e.client && c.number === e.number,
      )
      return some(reply && { ...reply, why: `${reply.why}: with it the client has enough equal replies` }, asked)
    }
    default:
      return []
  }
}

type Search = (fits: (c: TraceEvent) => boolean, why?: (c: TraceEvent) => string) => Cause | null

const received = (c: TraceEvent): boolean => c.event === 'received'

const isCheckpoint = (type?: string): boolean => type === 'checkpoint' || type === 'stable-notice'

function answers(m: Parameters<typeof requestOf>[0], number: number, seq?: number): boolean {
  return requestOf(m)?.number === number && (seq === undefined || m.seq === seq)
}

// phaseCause finds the proposal that a replica accepted, or the vote that closed a quorum.
function phaseCause(e: Extract<TraceEvent, { event: 'phase' }>, here: Search): Cause | null {
  const message = (c: TraceEvent) => (c.event === 'received' || c.event === 'sent' ? c.message : null)
  const about = (c: TraceEvent, ...types: string[]) => {
    const m = message(c)
    return m !== null && m.view === e.view && (m.seq === undefined || m.seq === e.seq) && types.includes(m.type ?? '')
  }
  if (e.phase !== 'pre-prepared') {
    const types = e.phase === 'prepared' ? ['prepare', 'pre-prepare'] : ['commit', 'prepare']
    return here(
      c => about(c, ...types),
      c => `${told(c)}: the vote that closed the quorum`,
    )
  }
  return (
    here(c => about(c, 'pre-prepare')) ??
    here(c => about(c, 'new-view')) ??
    here(c => c.event === 'received' && c.message.type === 'request')
  )
}

// MOST is how many certificates of a view-change are searched for: it may show a whole window of them.
const MOST = 2

// certificates finds where a replica prepared what its view-change shows in P.
function certificates(m: Message, replica: number, here: Search): (Cause | null)[] {
  if (m.type !== 'view-change' || signerOf(m) !== replica) return []
  return listIn(m.text, 'P')
    .slice(0, MOST)
    .map(p =>
      here(
        c =>
          c.event === 'phase' &&
          c.phase === 'prepared' &&
          c.view === p.view &&
          c.seq === p.seq &&
          c.digest.startsWith(p.digest),
      ),
    )
}

// viewChanges finds the view-changes on which a new-view rests. Those with the certificate of the highest view come first:
// it decides what the new-view carries over (V3).
function viewChanges(m: Message, here: Search): Cause[] {
  const found = basisOf(m).flatMap(id => {
    let highest = -1
    const cause = here(
      c => {
        if ((c.event !== 'received' && c.event !== 'sent') || c.message.type !== 'view-change') return false
        if (c.message.view !== m.view || signerOf(c.message) !== id) return false
        highest = Math.max(-1, ...listIn(c.message.text, 'P').map(p => p.view))
        return true
      },
      c => `replica ${id} shows ${'message' in c ? shows(c.message) : ''}`,
    )
    return cause ? [{ cause, highest }] : []
  })
  return found.sort((a, b) => b.highest - a.highest || b.cause.index - a.cause.index).map(f => f.cause)
}

// shows is short: three of these stand side by side.
function shows(m: Message): string {
  const shown = listIn(m.text, 'P')
  const first = shown[0]
  if (!first) return 'nothing prepared'
  const more = shown.length > 1 ? ` and ${shown.length - 1} more` : ''
  return `slot ${first.seq} in view ${first.view} (${first.digest})${more}`
}

// sending finds what made a replica send a message: the step of its own that the message tells of.
function sending(m: { type?: string; view?: number; seq?: number; text: string }, here: Search): Cause | null {
  const step = (): Cause | null => {
    switch (m.type) {
      case 'pre-prepare':
      case 'prepare':
        return here(c => c.event === 'phase' && c.phase === 'pre-prepared' && c.seq === m.seq && c.view === m.view)
      case 'commit':
        return here(c => c.event === 'phase' && c.phase === 'prepared' && c.seq === m.seq && c.view === m.view)
      case 'reply':
        return here(c => c.event === 'executed' && c.seq === m.seq)
      case 'checkpoint':
        return here(c => c.event === 'checkpoint' && c.step === 'taken' && c.seq === m.seq)
      case 'suspect':
        return here(c => c.event === 'view' && c.step === 'suspected' && c.view === m.view)
      case 'view-change':
        return here(c => c.event === 'view' && c.step === 'asked' && c.view === m.view)
      case 'new-view':
        return here(c => c.event === 'view' && c.step === 'entered' && c.view === m.view)
      case 'request':
        return here(c => c.event === 'received' && c.message.text === m.text)
      case 'held-by':
        return here(c => c.event === 'received' && c.message.type === 'held')
      case 'slots':
        return here(c => c.event === 'received' && c.message.type === 'fetch-slots')
      default:
        return null
    }
  }
  if (m.type === 'status' || m.type === 'heartbeat') return null // a timer of its own
  return step() ?? here(received)
}

function viewCauses(e: Extract<TraceEvent, { event: 'view' }>, back: Search, here: Search): Cause[] {
  const some = (...causes: (Cause | null)[]): Cause[] => causes.filter(c => c !== null)
  if (e.step === 'suspected') {
    if (e.cause === 'evidence') return some(here(c => c.event === 'evidence'))
    if (e.cause === 'timer') {
      return some(
        here(c => c.event === 'received' && c.message.type === 'request'),
        back(c => c.event === 'fault' && c.step === 'fired'),
      )
    }
    return some(here(c => c.event === 'received' && c.message.type === e.cause))
  }
  if (e.step === 'asked') {
    const who = e.suspects ?? []
    const found: (Cause | null)[] = who.map(id =>
      id === e.replica
        ? here(c => c.event === 'view' && c.step === 'suspected' && c.view === e.view - 1)
        : here(
            c =>
              c.event === 'received' && c.from === id && c.message.type === 'suspect' && c.message.view === e.view - 1,
          ),
    )
    const all = some(...found).sort((a, b) => b.index - a.index)
    if (all[0]) all[0].why += `: with it ${and(who)} suspect the primary`
    return all.length > 0 ? all : some(here(c => c.event === 'received' && c.message.type === e.cause))
  }
  return some(
    here(
      c =>
        c.event === 'received' &&
        (c.message.type === 'new-view' || c.message.type === 'view-change') &&
        c.message.view === e.view,
    ),
    here(c => c.event === 'view' && c.step === 'asked' && c.view === e.view),
  )
}
