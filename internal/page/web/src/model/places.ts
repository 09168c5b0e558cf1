import { requestOf } from './request'
import type { TraceEvent } from './types'
import { requestKey } from './world'

// Places says which events are about a slot and which about a request, so that one request can be followed through all.
export class Places {
  private slots = new Map<number, number[]>()
  private requests = new Map<string, number[]>()
  private slotOf = new Map<string, number>() // of a request
  private inSlot = new Map<number, string>()

  begin(): void {
    this.slots.clear()
    this.requests.clear()
    this.slotOf.clear()
    this.inSlot.clear()
  }

  // Name resolves a client's name, for messages may name it by its key.
  read(e: TraceEvent, index: number, name: (client: number | string) => string): void {
    switch (e.event) {
      case 'sent':
      case 'received':
      case 'refused':
      case 'dropped': {
        const m = e.message
        if (m.seq !== undefined && m.type !== 'reply') add(this.slots, m.seq, index)
        const r = requestOf(m)
        if (r) {
          const key = requestKey(name(r.client), r.number)
          add(this.requests, key, index)
          if (m.type === 'reply' && m.seq !== undefined) this.place(key, m.seq)
        }
        for (const q of m.requests ?? []) {
          if (m.seq !== undefined && e.event === 'received') this.place(requestKey(name(q.client), q.number), m.seq)
        }
        break
      }
      case 'phase':
      case 'executed':
      case 'checkpoint':
        add(this.slots, e.seq, index)
        break
      case 'request': {
        const key = requestKey(e.client, e.number)
        add(this.requests, key, index)
        if (e.seq) this.place(key, e.seq)
        break
      }
      default: // not about one slot
    }
    if (this.slots.size > MOST) halve(this.slots)
    if (this.requests.size > MOST) halve(this.requests)
    if (this.slotOf.size > MOST) halve(this.slotOf)
    if (this.inSlot.size > MOST) halve(this.inSlot)
  }

  ofSlot(seq: number): readonly number[] {
    return this.slots.get(seq) ?? []
  }

  // slot is where a request was ordered; -1: not known.
  slot(key: string): number {
    return this.slotOf.get(key) ?? -1
  }

  // requestIn is a request that was ordered in a slot; '': none is known. A batch has several; the last one known is taken.
  requestIn(seq: number): string {
    return this.inSlot.get(seq) ?? ''
  }

  private place(key: string, seq: number): void {
    this.slotOf.set(key, seq)
    this.inSlot.set(seq, key)
  }

  // way lists the events of a request in their order, with those of its slot.
  way(key: string): number[] {
    const own = this.requests.get(key) ?? []
    const slot = this.slot(key)
    return [...own, ...(slot >= 0 ? this.ofSlot(slot) : [])].sort((a, b) => a - b)
  }
}

const MOST = 60_000

function add<K>(map: Map<K, number[]>, key: K, index: number): void {
  const list = map.get(key)
  if (list) list.push(index)
  else map.set(key, [index])
}

function halve<K, V>(map: Map<K, V>): void {
  let n = map.size / 2
  for (const key of map.keys()) {
    if (n-- <= 0) return
    map.delete(key)
  }
}
