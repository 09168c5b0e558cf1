// The verdict of a run: what was expected, which invariants held how often, and what the faults cost.

import type { Document } from '../../model/frames'
import { Tag } from './bits'
import { count, span } from './format'
import { Figure } from './requests'

interface Invariant {
  id: string
  held: boolean
  checked: number
  idle?: boolean
  note?: string
}
interface FaultLine {
  what: string
  fired: boolean
  at_ms: number
  recovered_ms: number | null
}
interface Expectation {
  key: string
  want: unknown
  got: unknown
  held: boolean
  excused?: string
}

// The fields of a report that this panel reads, which older ones may lack.
interface Read extends Document {
  operations?: { submitted: number; acknowledged: number; failed: number; unknown: number }
  throughput?: { ops_per_s: number; ratio: number | null }
  latency_ms?: { p50: number; p95: number; p99: number; max: number }
  faults?: FaultLine[] | null
  invariants?: Invariant[] | null
  expect?: Expectation[] | null
  evidence?: { replica: number; kind: string; verified: boolean; proofs: number }[] | null
}

const tones: Record<string, 'good' | 'bad' | 'warn'> = { pass: 'good', fail: 'bad' }

// The panel.
export function Verdict(p: { document?: Document }) {
  if (!p.document) return <p class="panel empty">The run is not over: its verdict will stand here.</p>
  const d: Read = p.document
  const broken = (d.invariants ?? []).filter(i => !i.held)
  return (
    <div class="panel">
      <p class="verdict-line">
        <Tag tone={tones[d.verdict] ?? 'warn'}>{d.verdict}</Tag> {d.scenario}
      </p>
      <dl class="figures">
        {d.operations && (
          <Figure
            name="acknowledged"
            value={`${count(d.operations.acknowledged)} of ${count(d.operations.submitted)}`}
          />
        )}
        {d.operations && <Figure name="failed" value={count(d.operations.failed)} />}
        {d.throughput && <Figure name="a second" value={count(d.throughput.ops_per_s)} />}
        {d.latency_ms && <Figure name="median" value={span(d.latency_ms.p50)} />}
        <Figure name="view changes" value={count(d.view_changes)} />
        <Figure name="last view" value={count(d.final_view)} />
      </dl>
      {d.faults && d.faults.length > 0 && (
        <>
          <h2>Faults</h2>
          <ul class="plain">
            {d.faults.map(f => (
              <li key={`${f.at_ms}${f.what}`}>
                <span class="hint">{span(f.at_ms)}</span> {f.what}
                {f.fired ? (
                  f.recovered_ms !== null && (
                    <span class="hint">: clients were served again after {span(f.recovered_ms)}</span>
                  )
                ) : (
                  <Tag tone="warn">did not happen</Tag>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
      {d.expect && d.expect.length > 0 && (
        <>
          <h2>Expected</h2>
          <ul class="plain">
            {d.expect.map(e => (
              <li key={e.key}>
                <Tag tone={e.held ? 'good' : e.excused ? 'warn' : 'bad'}>
                  {e.held ? 'held' : e.excused ? 'excused' : 'not held'}
                </Tag>{' '}
                {e.key}: {JSON.stringify(e.got)}
                {!e.held && <span class="hint">, wanted {JSON.stringify(e.want)}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {d.invariants && (
        <>
          <h2>Invariants</h2>
          <p class="hint">
            {broken.length === 0 ? 'All held.' : `${broken.map(i => i.id).join(', ')} broken.`} A number is how often it
            was looked at.
          </p>
          <ul class="invariants">
            {d.invariants.map(i => (
              <li key={i.id} class={i.held ? (i.idle ? 'idle' : 'held') : 'broken'} title={i.note}>
                <b>{i.id}</b> {i.held ? (i.idle ? 'idle' : count(i.checked)) : 'broken'}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  )
}
