import type { RequestStep } from './types'

// Clients gives each client a number of its own, its place among the lanes. A client has two names: its number in the
// cluster, which `request` events use, and the first digits of its key, which messages of older traces use instead.
export class Clients {
  names: string[] = []
  private place = new Map<string, number>()
  private same = new Map<number, number>() // the place of a key → the place of the number
  private open = new Map<number, Set<number>>() // number of a request → clients that asked it and have no key yet
  private keyed = new Set<number>() // clients whose key is known

  clear(): void {
    this.names = []
    this.place.clear()
    this.same.clear()
    this.open.clear()
    this.keyed.clear()
  }

  of(name: number | string): number {
    const text = String(name)
    let at = this.place.get(text)
    if (at === undefined) {
      at = this.names.length
      this.place.set(text, at)
      this.names.push(text)
    }
    return at
  }

  // asks notes that a client asks a request, so that the key in the message can be told to be its.
  asks(e: RequestStep): void {
    const at = this.of(e.client)
    if (this.keyed.has(at)) return
    const open = this.open.get(e.number) ?? new Set()
    this.open.set(e.number, open.add(at))
    if (this.open.size > 1000) this.open.delete(this.open.keys().next().value as number)
  }

  // says notes that a message names a request by a client's key. If a single client asked for one of that number, the key
  // is its; if several did, it stays open which.
  says(key: string, number: number): void {
    const at = this.of(key)
    if (this.same.has(at) || this.keyed.has(at)) return
    const open = [...(this.open.get(number) ?? [])].filter(c => !this.keyed.has(c))
    if (open.length === 1) this.join(at, open[0] as number)
  }

  // join says that a key and a number are one client.
  join(key: number, number: number): void {
    if (key === number || this.same.has(key) || this.keyed.has(number)) return
    this.same.set(key, number)
    this.keyed.add(number)
  }

  // resolve follows a key to its number.
  resolve(at: number): number {
    return this.same.get(at) ?? at
  }

  nameOf(at: number): string {
    return this.names[this.resolve(at)] ?? '?'
  }

  // lanes lists the clients that are to be shown: keys that are known to be another's are not.
  lanes(): number[] {
    return this.names.map((_, i) => i).filter(i => !this.same.has(i))
  }
}
