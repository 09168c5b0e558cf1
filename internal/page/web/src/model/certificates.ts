import type { Past } from './causes'
import type { Message, Phase } from './types'

// What the text of a message says of certificates: P of a view-change, V and O of a new-view.

export interface Listed {
  view: number // in which it prepared; -1: O names no view
  seq: number
  digest: string // its first digits
}

// listIn reads a list such as "P = [v0 s11 9872841a, v0 s12 c81431cb]".
export function listIn(text: string, name: 'P' | 'O'): Listed[] {
  const list = new RegExp(`\\b${name} = \\[(.*)\\]`).exec(text)?.[1] ?? ''
  return [...list.matchAll(/(?:v(\d+) )?s(\d+) ([0-9a-f]+)/g)].map(([, view = '-1', seq = '0', digest = '']) => ({
    view: Number(view),
    seq: Number(seq),
    digest,
  }))
}

// basisOf lists the replicas on whose view-changes a new-view rests.
export function basisOf(m: Message): number[] {
  const list = /V = ((?:r\d+ ?)*)/.exec(m.text)?.[1] ?? ''
  return [...list.matchAll(/r(\d+)/g)].map(r => Number(r[1]))
}

// signerOf is the replica that signed a view-change, whoever passes it on; -1: the text does not say.
export function signerOf(m: Message): number {
  return Number(/ of r(\d+) /.exec(m.text)?.[1] ?? -1)
}

// Choice is a slot that prepared with different digests in different views, and what the new-view takes for it (V3).
export interface Choice {
  seq: number
  digest: string
  shown: (Listed & { by: number[] })[] // the highest view first
}

// choicesOf finds the slots of a new-view for which its view-changes show different digests. Where O has another digest
// than the trace's view-changes explain, it says nothing: a replica may have signed two view-changes.
export function choicesOf(newView: Message, shownBy: (replica: number) => readonly Listed[]): Choice[] {
  const all = new Map<number, Choice['shown']>()
  for (const by of basisOf(newView)) {
    for (const p of shownBy(by)) {
      const shown = all.get(p.seq) ?? []
      const same = shown.find(s => s.view === p.view && s.digest === p.digest)
      if (same) same.by.push(by)
      else shown.push({ ...p, by: [by] })
      all.set(p.seq, shown)
    }
  }
  return listIn(newView.text, 'O').flatMap(({ seq, digest }) => {
    const shown = (all.get(seq) ?? []).sort((a, b) => b.view - a.view)
    const disputed = shown.some(s => s.digest !== digest)
    return disputed && shown[0]?.digest === digest ? [{ seq, digest, shown }] : []
  })
}

// FAR is how many events a search for votes goes back at most.
const FAR = 60_000

// votesOf finds the votes of the certificate that an event tells of, the latest first: where they came to the replica.
export function votesOf(past: Past, e: Phase, index: number): { voter: number; index: number }[] {
  if (e.phase === 'pre-prepared') return []
  const kinds = e.phase === 'prepared' ? ['pre-prepare', 'prepare'] : ['commit']
  const found: { voter: number; index: number }[] = []
  for (let i = index - 1; i >= past.first && i > index - FAR && found.length < e.votes; i--) {
    const c = past.at(i)
    if (!c || c.replica !== e.replica || (c.event !== 'received' && c.event !== 'sent')) continue
    const m = c.message
    if (!kinds.includes(m.type ?? '') || m.view !== e.view || m.seq !== e.seq || m.digest !== e.digest) continue
    // A pre-prepare is its primary's vote, whoever passes it on.
    const from = c.event === 'sent' ? c.replica : c.from
    const voter = m.type === 'pre-prepare' ? e.view % past.replicas : from
    if (!found.some(v => v.voter === voter)) found.push({ voter, index: i })
  }
  return found
}
