import type { Arrow } from './arrows'
import type { Message } from './types'
import { and } from './words'

interface Said {
  digest: string
  arrows: Arrow[]
}

interface Found {
  arrow: Arrow
  why: string
}

// Contradictions finds statements of one replica about one slot that differ. A correct replica makes each only once.
export class Contradictions {
  private said_ = new Map<string, Said[]>()
  private stable_ = new Map<number, string>()

  clear(): void {
    this.said_.clear()
    this.stable_.clear()
  }

  // said notes what a replica says, and returns the arrows that are now known to be part of a lie.
  said(by: number, m: Message, arrow: Arrow): Found[] {
    const key = this.key(by, m)
    if (!key) return []
    const digest = m.digest ?? ''
    const all = this.said_.get(key) ?? []
    if (all.length === 0) {
      this.said_.set(key, all)
      if (this.said_.size > 8000) this.forget()
    }
    const same = all.find(s => s.digest === digest)
    if (same) same.arrows.push(arrow)
    else all.push({ digest, arrows: [arrow] })
    if (m.type === 'checkpoint') {
      const stable = this.stable_.get(m.seq ?? 0)
      if (stable !== undefined && stable !== digest) return [{ arrow, why: notStable(m.seq ?? 0, stable) }]
    }
    if (all.length < 2) return []
    const named = and(all.map(s => s.digest.slice(0, 8)))
    const why = `replica ${by} contradicts itself about slot ${m.seq}: its ${m.type}s name ${named}`
    return all.flatMap(s => s.arrows).map(a => ({ arrow: a, why }))
  }

  // stable notes the state that a quorum agrees on, and returns the checkpoints that tell of another.
  stable(seq: number, digest: string): Found[] {
    if (this.stable_.has(seq)) return []
    this.stable_.set(seq, digest)
    if (this.stable_.size > 500) this.stable_.delete(this.stable_.keys().next().value as number)
    const found: Found[] = []
    for (let by = 0; by < 64; by++) {
      for (const s of this.said_.get(`${by} checkpoint  ${seq}`) ?? []) {
        if (s.digest !== digest) found.push(...s.arrows.map(arrow => ({ arrow, why: notStable(seq, digest) })))
      }
    }
    return found
  }

  // key names what must be said only once; '' for messages that may differ. A pre-prepare counts only from its primary: the
  // others pass it on as proof.
  private key(by: number, m: Message): string {
    if (m.seq === undefined || m.digest === undefined) return ''
    switch (m.type) {
      case 'pre-prepare':
        return this.leads(by, m.view ?? 0) ? `${by} ${m.type} ${m.view} ${m.seq}` : ''
      case 'prepare':
      case 'commit':
        return `${by} ${m.type} ${m.view} ${m.seq}`
      case 'checkpoint':
        return `${by} checkpoint  ${m.seq}`
      default:
        return ''
    }
  }

  // replicas is how many the cluster has, which says who leads a view.
  replicas = 0

  private leads(by: number, view: number): boolean {
    return this.replicas > 0 && view % this.replicas === by
  }

  private forget(): void {
    let n = this.said_.size / 2
    for (const key of this.said_.keys()) {
      if (n-- <= 0) return
      this.said_.delete(key)
    }
  }
}

function notStable(seq: number, digest: string): string {
  return `a quorum agrees on another state after slot ${seq}: ${digest.slice(0, 8)}`
}
