import { Clients } from './clients'
import { Contradictions } from './contradictions'
import { groupOf } from './groups'
import { requestOf } from './request'
import { type Dropped, type Message, NOWHERE, type Received, type Refused, type Sent, type TraceEvent } from './types'

// Arrow is a message on its way: a sending matched with what became of it.
export interface Arrow {
  id: number // its place in the list of arrows
  from: number // a replica, or NOWHERE for a client
  to: number
  client: number // of the two, the one that is a client: its place in Clients; -1: not known, or there is none
  type: string
  group: number // place of its type's group
  sent: number // number of the event; -1: not recorded
  got: number // number of the event by which it was believed or refused; -1: none (yet)
  dropped: number // number of the event by which it changed nothing; -1: none
  start: number // times, in microseconds
  end: number // of its arrival; while there is none, where it is drawn to
  refused: boolean
  answerless: boolean // its arrival is never recorded, as that of replies is not
  lie: string // why it is a lie, as far as the trace shows; '': it is none
}

// Arrows matches sendings with receipts. Equal messages of one link are matched so that the delay is nearest to the usual
// one, for a lost one must not take the receipt of the next.
export class Arrows {
  list: Arrow[] = []
  first = 0 // id of the oldest arrow that is kept
  history = 0 // changes with every beginning
  longest = 0 // the longest delay of a message that arrived
  typical = 1000 // the usual delay, in microseconds
  lies: Arrow[] = []
  readonly clients = new Clients()
  private byEvent = new Map<number, Arrow>()
  private open = new Map<string, Arrow[]>() // sent and not received, by link and text
  private openBySlot = new Map<string, Arrow[]>() // the same by link, type, view and slot
  private last = new Map<string, Arrow>() // received last, by replica and text
  private asked = new Map<string, { at: number; index: number }>()
  private replies = new Map<string, Arrow[]>() // by request number and slot, until the request is answered
  private contradictions = new Contradictions()
  private receives = false

  // begin forgets everything, for a cluster of so many replicas.
  begin(replicas: number): void {
    this.history++
    this.list = []
    this.first = 0
    this.longest = 0
    this.typical = 1000
    this.lies = []
    this.clients.clear()
    for (const m of [this.byEvent, this.open, this.openBySlot, this.last, this.asked, this.replies]) m.clear()
    this.contradictions.clear()
    this.contradictions.replicas = replicas
    this.receives = false
  }

  get end(): number {
    return this.first + this.list.length
  }

  // ofEvent is the arrow of a sending, a receipt or a refusal.
  ofEvent(index: number): Arrow | undefined {
    return this.byEvent.get(index)
  }

  read(e: TraceEvent, index: number): void {
    switch (e.event) {
      case 'sent':
        this.send(e, index)
        break
      case 'received':
      case 'refused':
        this.receive(e, index)
        break
      case 'dropped':
        this.drop(e, index)
        break
      case 'request':
        if (e.step === 'asked') {
          this.clients.asks(e)
          this.asked.set(`${this.clients.of(e.client)}/${e.number}`, { at: e.at_us, index })
          if (this.asked.size > 5000) this.asked.delete(this.asked.keys().next().value as string)
        } else this.answer(this.clients.of(e.client), e.number, e.seq ?? 0, e.at_us)
        break
      case 'checkpoint':
        if (e.step === 'stable') for (const a of this.contradictions.stable(e.seq, e.digest)) this.lie(a.arrow, a.why)
        break
      default: // the others are no messages
    }
  }

  private push(a: Omit<Arrow, 'id' | 'group' | 'dropped' | 'lie'>): Arrow {
    const arrow = { ...a, id: this.end, group: groupOf(a.type), dropped: -1, lie: '' }
    this.list.push(arrow)
    if (a.sent >= 0 && a.from !== NOWHERE) this.byEvent.set(a.sent, arrow)
    return arrow
  }

  private lie(a: Arrow, why: string): void {
    if (a.lie !== '') return
    a.lie = why
    this.lies.push(a)
  }

  private clientOf(m: Message): number {
    const r = requestOf(m)
    if (!r) return -1
    if (typeof r.client === 'string') this.clients.says(r.client, r.number)
    return this.clients.of(r.client)
  }

  private send(e: Sent, index: number): void {
    const { message: m, at_us: at } = e
    const toClient = e.to === NOWHERE
    const a = this.push({
      from: e.replica,
      to: e.to,
      client: toClient ? this.clientOf(m) : -1,
      type: m.type ?? '',
      sent: index,
      got: -1,
      start: at,
      end: at + this.typical,
      refused: false,
      answerless: toClient,
    })
    for (const found of this.contradictions.said(e.replica, m, a)) this.lie(found.arrow, found.why)
    if (toClient) {
      const r = requestOf(m)
      if (r && m.type === 'reply') put(this.replies, `${r.number}/${m.seq ?? 0}`, a, 64)
      if (this.replies.size > 2000) this.replies.delete(this.replies.keys().next().value as string)
      return
    }
    put(this.open, linkKey(e.replica, e.to, m.text), a, 400)
    if (m.seq !== undefined) put(this.openBySlot, slotKey(e.replica, e.to, m), a, 16)
    if (this.openBySlot.size > 20_000) trim(this.openBySlot)
    if (this.open.size > 20_000) trim(this.open)
  }

  private receive(e: Received | Refused, index: number): void {
    const { message: m, at_us: at, from } = e
    this.receives = true
    const a = from === NOWHERE ? this.fromClient(e) : (this.match(e) ?? this.again(e))
    a.got = index
    a.end = at
    this.byEvent.set(index, a)
    a.refused = e.event === 'refused'
    const delay = at - a.start
    if (a.sent >= 0 && delay >= 0) {
      this.longest = Math.max(this.longest, delay)
      this.typical += (Math.min(delay, 8 * this.typical + 50) - this.typical) / 32
    }
    this.last.set(`${e.replica} ${m.text}`, a)
    if (this.last.size > 5000) this.last.delete(this.last.keys().next().value as string)
  }

  // match takes the sending of equal text whose delay is the most usual; else one of the same slot whose text differs: then
  // somebody changed it on the way, or the sender's own trace does not tell the truth.
  private match(e: Received | Refused): Arrow | null {
    const key = linkKey(e.from, e.replica, e.message.text)
    const found = nearest(this.open.get(key), e.at_us, this.typical)
    if (found) {
      remove(this.open, key, found)
      return found
    }
    if (e.message.seq === undefined) return null
    const alike = nearest(this.openBySlot.get(slotKey(e.from, e.replica, e.message)), e.at_us, this.typical)
    if (alike && alike.got < 0) {
      this.lie(alike, `its sender's trace tells of another one: this arrived as ${e.message.text}`)
      return alike
    }
    return null
  }

  // again makes an arrow for a receipt without a sending: a duplicate, or one that was sent before the trace began.
  private again(e: Received | Refused): Arrow {
    return this.push({
      from: e.from,
      to: e.replica,
      client: -1,
      type: e.message.type ?? '',
      sent: -1,
      got: -1,
      start: e.at_us - this.typical,
      end: e.at_us,
      refused: false,
      answerless: false,
    })
  }

  // fromClient makes the arrow of a client's request. Sendings of clients are not recorded: the first one is when it asks,
  // a later one is drawn as long before its receipt as is usual.
  private fromClient(e: Received | Refused): Arrow {
    const client = this.clientOf(e.message)
    const r = requestOf(e.message)
    const asked = r && client >= 0 ? this.asked.get(`${this.clients.resolve(client)}/${r.number}`) : undefined
    const near = asked && e.at_us - asked.at <= 8 * this.typical + 5000
    return this.push({
      from: NOWHERE,
      to: e.replica,
      client,
      type: e.message.type ?? '',
      sent: near ? asked.index : -1,
      got: -1,
      start: near ? asked.at : e.at_us - this.typical,
      end: e.at_us,
      refused: false,
      answerless: false,
    })
  }

  private drop(e: Dropped, index: number): void {
    const a = this.last.get(`${e.replica} ${e.message.text}`)
    if (a && a.dropped < 0) a.dropped = index
  }

  // answer ends the replies of a request that were on their way when its client had enough of them.
  private answer(client: number, number: number, seq: number, at: number): void {
    const key = `${number}/${seq}`
    const replies = this.replies.get(key)
    if (!replies) return
    const keys = new Set(replies.map(a => a.client))
    if (keys.size === 1) this.clients.join(replies[0]?.client ?? -1, client)
    for (const a of replies) {
      if (a.start <= at && this.clients.resolve(a.client) === client) a.end = Math.min(at, Math.max(a.end, a.start + 1))
    }
  }

  // lost says whether a message was still on its way at a time when it should long have arrived.
  lost(a: Arrow, now: number): boolean {
    return a.got < 0 && !a.answerless && this.receives && now - a.start > this.patience
  }

  get patience(): number {
    return Math.max(20 * this.typical, 100_000)
  }

  // forget drops arrows that began before an event that is kept.
  forget(event: number): void {
    let n = 0
    while (n < this.list.length && Math.max(this.list[n]?.sent ?? 0, this.list[n]?.got ?? 0) < event) n++
    for (const a of this.list.splice(0, n)) {
      this.byEvent.delete(a.sent)
      this.byEvent.delete(a.got)
    }
    this.first += n
    this.lies = this.lies.filter(a => a.id >= this.first)
  }

  // touching is the place in the list of the first arrow that may be on its way at a time or later.
  touching(time: number): number {
    let low = 0
    let high = this.list.length
    const begin = time - Math.min(this.longest, 5_000_000) - this.patience
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.list[middle]?.start ?? 0) < begin) low = middle + 1
      else high = middle
    }
    return low
  }
}

const linkKey = (from: number, to: number, text: string) => `${from}>${to} ${text}`
const slotKey = (from: number, to: number, m: Message) => `${from}>${to} ${m.type} ${m.view} ${m.seq}`

function put(map: Map<string, Arrow[]>, key: string, a: Arrow, most: number): void {
  const list = map.get(key)
  if (!list) map.set(key, [a])
  else {
    if (list.length >= most) list.shift()
    list.push(a)
  }
}

function remove(map: Map<string, Arrow[]>, key: string, a: Arrow): void {
  const list = map.get(key)
  if (!list) return
  const at = list.indexOf(a)
  if (at >= 0) list.splice(at, 1)
  if (list.length === 0) map.delete(key)
}

// nearest is the one among equal sendings whose delay is the most usual.
function nearest(list: Arrow[] | undefined, at: number, typical: number): Arrow | null {
  let best: Arrow | null = null
  for (const a of list ?? []) {
    if (a.start > at) break
    if (!best || Math.abs(at - a.start - typical) < Math.abs(at - best.start - typical)) best = a
  }
  return best
}

// trim forgets the oldest half: what has not arrived by then is lost.
function trim(map: Map<string, Arrow[]>): void {
  let n = map.size / 2
  for (const key of map.keys()) {
    if (n-- <= 0) return
    map.delete(key)
  }
}
