import type { History } from './history'
import type { Message, TraceEvent } from './types'
import { bytes, duration, meaning, party, replicas, told } from './words'

// Content is what the page says of one event when it is pointed at or selected.
export interface Content {
  title: string
  lines: string[] // in the order of their weight
  warning: string // why it was refused, is lost or is a lie; '': nothing is wrong
}

// contentOf describes an event, and if it is a message its whole way. Now is the latest time that is known.
export function contentOf(h: History, index: number, now: number): Content | null {
  const e = h.timeline.at(index)
  if (!e) return null
  const m = messageIn(e)
  if (!m) return { title: capital(told(e)), lines: certificate(h, e, index), warning: '' }
  const a = h.arrows.ofEvent(index)
  const lines: string[] = []
  if (a) {
    const from = a.from < 0 ? client(h, a.client) : party(a.from)
    const to = a.to < 0 ? client(h, a.client) : party(a.to)
    lines.push(`From ${from} to ${to}${a.sent < 0 ? '; its sending is not recorded' : ''}`)
    if (a.answerless) lines.push('Arrivals at clients are not recorded: it is drawn with the usual delay')
    else if (a.got >= 0 && a.sent >= 0) lines.push(`Under way for ${duration(a.end - a.start)}`)
  } else if (e.event === 'dropped') lines.push(`At ${party(e.replica)}`)
  const why = meaning(m.type ?? '')
  if (why) lines.push(why)
  // What a view change rests on is in these texts alone, and the end of a long line may be cut.
  if (m.type === 'view-change' || m.type === 'new-view') lines.unshift(m.text)
  else lines.push(m.text)
  const sent = a && a.sent >= 0 ? h.timeline.at(a.sent) : e
  if (sent?.event === 'sent') lines.push(bytes(sent.bytes))
  return { title: title(m), lines, warning: warning(h, e, index, now) }
}

// certificate says whose votes closed a quorum.
function certificate(h: History, e: TraceEvent, index: number): string[] {
  if (e.event !== 'phase' || e.phase === 'pre-prepared') return []
  const who = h.voters(index)
  if (who.length === 0) return []
  return [`${who.length < e.votes ? 'Of its votes the trace shows those' : 'It has the votes'} of ${replicas(who)}`]
}

function warning(h: History, e: TraceEvent, index: number, now: number): string {
  const a = h.arrows.ofEvent(index)
  if (e.event === 'dropped') return `It changed nothing: ${e.why}`
  if (!a) return e.event === 'refused' ? `Refused: ${e.why}` : ''
  const got = h.timeline.at(a.got)
  const dropped = h.timeline.at(a.dropped)
  const said: string[] = []
  if (a.lie !== '') said.push(`A lie: ${a.lie}`)
  if (got?.event === 'refused') said.push(`Refused: ${got.why}`)
  if (dropped?.event === 'dropped') said.push(`It changed nothing: ${dropped.why}`)
  if (h.arrows.lost(a, now)) said.push('Lost: nothing shows that it arrived')
  return said.join('. ')
}

export function messageIn(e: TraceEvent): Message | null {
  return e.event === 'sent' || e.event === 'received' || e.event === 'refused' || e.event === 'dropped'
    ? e.message
    : null
}

function title(m: Message): string {
  const parts = [m.type ?? 'a frame that cannot be decoded']
  if (m.seq !== undefined) parts.push(`slot ${m.seq}`)
  if (m.view !== undefined) parts.push(`view ${m.view}`)
  return parts.join(' · ')
}

function client(h: History, place: number): string {
  return place < 0 ? 'a client' : `client ${h.arrows.clients.nameOf(place)}`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
