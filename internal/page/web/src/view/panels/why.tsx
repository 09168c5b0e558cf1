// Why nothing commits, or why a replica does not follow: the causes as `tagma why` finds them, the most decisive first.

import { Tag } from './bits'
import { replicas } from './format'

export interface Cause {
  code: string
  stops: boolean
  text: string
  mend?: string
  replicas?: number[]
}

// What GET api/why answers.
export interface Because {
  cluster: string
  causes: Cause[]
}

// The panel. Own is the replica that is asked, if it is only one.
export function Why(p: { because?: Because; error?: string; available: boolean; own?: number }) {
  if (!p.available) return <p class="panel empty">Only a running cluster can be asked what it waits for.</p>
  if (p.error) return <p class="reason">{p.error}</p>
  if (!p.because) return <p class="panel empty">The replicas are asked what they wait for …</p>
  if (p.own !== undefined) {
    return (
      <>
        {p.because.causes.length > 0 && <Causes of={p.because.causes} />}
        <p class="panel empty">
          {p.because.causes.length === 0 && `Replica ${p.own} finds nothing wrong with itself. `}
          This page knows what replica {p.own} reports of itself, and nothing of the others. To learn what keeps the
          cluster from committing, run <code>tagma why</code>: it asks all replicas.
        </p>
      </>
    )
  }
  if (p.because.causes.length === 0)
    return <p class="panel empty">Nothing is wrong: nothing waits for longer than usual.</p>
  return <Causes of={p.because.causes} />
}

function Causes(p: { of: Cause[] }) {
  return (
    <ol class="panel why" aria-label="causes, the most decisive first">
      {p.of.map(c => (
        <li key={c.code + c.text}>
          <p>
            <Tag tone={c.stops ? 'bad' : 'warn'}>
              {c.stops ? 'nothing commits' : c.replicas ? replicas(c.replicas) : 'beside'}
            </Tag>{' '}
            <code>{c.code}</code>
          </p>
          <p>{c.text}</p>
          {c.mend && <p class="hint">→ {c.mend}</p>}
        </li>
      ))}
    </ol>
  )
}
