import type { Header, TraceEvent } from '../src/model/types'

// A request costs a cluster of four 29 messages: one from the client, and pre-prepares, prepares, commits and replies.
const REPLICAS = 4
const QUORUM = 3
export const MESSAGES_A_SLOT = 29

export const header: Header = { tagma_trace: 1, engine: 'sim', replicas: REPLICAS, name: 'a trace of even load' }

// evenLoad makes the trace of so many seconds with so many messages in each, as the simulator writes it.
export function evenLoad(seconds: number, messages: number): TraceEvent[] {
  const events: TraceEvent[] = []
  for (let r = 0; r < REPLICAS; r++) events.push({ at_us: 0, replica: r, event: 'process', step: 'started' })
  const every = (MESSAGES_A_SLOT * 1e6) / messages
  const slots = Math.floor((seconds * 1e6) / every)
  for (let seq = 1; seq <= slots; seq++) slot(events, seq, Math.round(seq * every))
  return events.sort((a, b) => a.at_us - b.at_us)
}

function slot(events: TraceEvent[], seq: number, t: number): void {
  const digest = seq.toString(16).padStart(64, '5')
  const client = seq % 8
  const number = Math.floor(seq / 8) + 1
  const all = [0, 1, 2, 3]
  const name = { view: 0, seq, digest }
  const word = (type: string) => `${type} v0 s${seq} ${digest.slice(0, 8)}`
  // say sends a message to everybody else, and each receives it a little later than the one before.
  const say = (from: number, type: string, at: number) => {
    for (const to of all.filter(r => r !== from)) {
      const message = { type, ...name, text: word(type) }
      events.push({ at_us: at, replica: from, event: 'sent', to, bytes: 116, message })
      events.push({ at_us: at + 900 + 40 * ((from + to + seq) % 7), replica: to, event: 'received', from, message })
    }
  }
  const phase = (replica: number, name_: 'pre-prepared' | 'prepared' | 'committed', at: number) =>
    events.push({
      at_us: at,
      replica,
      event: 'phase',
      phase: name_,
      ...name,
      requests: 1,
      votes: QUORUM,
      quorum: QUORUM,
    })
  const request = { type: 'request', client, number, text: `request of client ${client}, ${number}` }
  events.push({ at_us: t, replica: -1, event: 'request', client, step: 'asked', number })
  events.push({ at_us: t + 900, replica: 0, event: 'received', from: -1, message: request })
  phase(0, 'pre-prepared', t + 1000)
  say(0, 'pre-prepare', t + 1000)
  for (const r of all) {
    if (r !== 0) {
      phase(r, 'pre-prepared', t + 2300)
      say(r, 'prepare', t + 2400)
    }
    phase(r, 'prepared', t + 3700)
    events.push({ at_us: t + 3750, replica: r, event: 'synced', records: 2, took_us: 40 })
    say(r, 'commit', t + 3800)
    phase(r, 'committed', t + 5100)
    events.push({ at_us: t + 5120, replica: r, event: 'executed', seq, requests: 1 })
    const reply = {
      type: 'reply',
      view: 0,
      seq,
      client,
      number,
      text: `reply to client ${client}, ${number}, at s${seq}`,
    }
    events.push({ at_us: t + 5140, replica: r, event: 'sent', to: -1, bytes: 124, message: reply })
  }
  events.push({ at_us: t + 6100, replica: -1, event: 'request', client, step: 'answered', number, seq })
}
