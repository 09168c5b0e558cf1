// Proof of misbehaviour: two statements that one replica signed and no correct replica signs, side by side.

import type { Proof } from '../../model/world'
import { Tag } from './bits'
import { common, compare, type Row } from './differ'
import { replicas } from './format'

// Proofs of one kind against one replica: the first one, and who else holds proof.
interface Case {
  against: number
  proves: string
  first: Proof
  holders: number[]
  proofs: number
}

// The proofs by whom they are against and what they prove, the newest case first.
export function cases(proofs: readonly Proof[]): Case[] {
  const found: Case[] = []
  for (const p of proofs) {
    const known = found.find(c => c.against === p.proof.against && c.proves === p.proof.proves)
    if (!known)
      found.unshift({ against: p.proof.against, proves: p.proof.proves, first: p, holders: [p.holder], proofs: 1 })
    else {
      known.proofs++
      if (!known.holders.includes(p.holder)) known.holders = [...known.holders, p.holder].sort((a, b) => a - b)
    }
  }
  return found
}

// The panel.
export function EvidencePanel(p: { proofs: readonly Proof[]; goTo?: (p: Proof) => void }) {
  const all = cases(p.proofs)
  if (all.length === 0) {
    return (
      <p class="empty">
        No replica is proven to lie. Two signed statements that contradict each other would stand here.
      </p>
    )
  }
  return (
    <div class="panel">
      {all.map(c => (
        <article
          class="proof"
          key={`${c.against}.${c.proves}`}
          aria-label={`proof against replica ${c.against}: ${c.proves}`}
        >
          <header>
            <Tag tone="bad">replica {c.against}</Tag>
            <h2>{c.proves}</h2>
            <span class="hint">
              {c.proofs === 1 ? 'one proof' : `${c.proofs} proofs`}, held by {replicas(c.holders)}
            </span>
            {p.goTo && (
              <button type="button" onClick={() => p.goTo?.(c.first)}>
                Go to the moment
              </button>
            )}
          </header>
          <Statements rows={compare(c.first.proof.first, c.first.proof.second)} against={c.against} />
        </article>
      ))}
    </div>
  )
}

function Statements(p: { rows: Row[]; against: number }) {
  return (
    <div class="scroll">
      <table class="statements">
        <caption class="hidden">
          two statements signed by replica {p.against}; the rows that differ are the proof
        </caption>
        <thead>
          <tr>
            <td />
            <th scope="col">it signed</th>
            <th scope="col">it also signed</th>
          </tr>
        </thead>
        <tbody>
          {p.rows.map(r => (
            <tr key={r.field} class={r.differs ? 'differs' : undefined}>
              <th scope="row">
                {r.field}
                {r.differs && <span class="hidden"> (differs)</span>}
              </th>
              <td>
                <Value text={r.first} same={r.differs ? common(r.first, r.second) : r.first.length} />
              </td>
              <td>
                <Value text={r.second} same={r.differs ? common(r.first, r.second) : r.second.length} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

// A value with the part marked from which on it differs.
function Value(p: { text: string; same: number }) {
  return (
    <code>
      {p.text.slice(0, p.same)}
      {p.same < p.text.length && <mark>{p.text.slice(p.same)}</mark>}
    </code>
  )
}
