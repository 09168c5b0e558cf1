// A card for each replica, and a line for each client.

import type { About, Peer, Report } from '../../model/frames'
import type { World } from '../../model/world'
import { type Post, useActing } from './acting'
import { Button, Outcome, Tag } from './bits'
import { count, list, span } from './format'
import { type ClientLine, clients, place, type Scale, type Standing, scale, standing } from './standing'

export interface ReplicasProps {
  about: About
  world: World
  // By replica; undefined: there are no reports, null: it does not run.
  reports?: (Report | null)[]
  now: number
  post: Post
  // Why nothing can be done; undefined if something can.
  not?: string
}

// The panel.
export function Replicas(p: ReplicasProps) {
  const acting = useActing(p.post)
  const all = Array.from({ length: p.about.replicas }, (_, i) => standing(p.about, p.world, i, p.reports?.[i]))
  const common = scale(all)
  return (
    <>
      <div class="panel">
        <ul class="cards" aria-label="replicas">
          {all.map(s => (
            <Card
              key={s.id}
              s={s}
              scale={common}
              self={p.about.self === s.id}
              peers={p.reports?.[s.id]?.peers}
              acts={p.not ? [] : p.about.acts}
              act={(words, act) => void acting.run(`${words} replica ${s.id} …`, { act, replicas: [s.id] })}
              busy={!!acting.busy}
            />
          ))}
        </ul>
        <Clients lines={clients(p.world, p.now)} />
      </div>
      <Outcome {...acting} />
    </>
  )
}

function Card(p: {
  s: Standing
  scale: Scale
  self: boolean
  peers?: readonly Peer[]
  acts: readonly string[]
  act: (words: string, act: string) => void
  busy: boolean
}) {
  const { s } = p
  const up = s.process.tone === 'good'
  return (
    <li
      class={`replica${s.role === 'primary' ? ' replica-primary' : ''}${up ? '' : ' replica-away'}`}
      data-replica={s.id}
    >
      <div class="replica-head">
        <h2>
          Replica {s.id}
          {p.self && <span class="hint"> (this one)</span>}
        </h2>
        <Tag tone={up && s.role === 'primary' ? 'note' : up ? 'calm' : s.process.tone} title={s.process.why}>
          {up ? s.role : s.process.word}
        </Tag>
        {p.acts.length > 0 && <Acts {...p} up={up} />}
      </div>
      <p class="replica-line">
        <span>
          view {s.view}
          {!s.active && up && ', not active'}
        </span>
        {s.lies && <Tag tone="bad">lies: {s.lies.replace(/,.*/s, '')}</Tag>}
        {s.convictedBy.length > 0 && <span class="bad">proven by {list(s.convictedBy)}</span>}
        {s.health.text !== s.process.word && !(s.health.text === 'ok' && (s.lies || s.convictedBy.length > 0)) && (
          <span class={`health-${s.health.tone}`}>{s.health.text}</span>
        )}
      </p>
      <Window s={s} scale={p.scale} />
      {s.fetching && (
        <p class="fetching">
          <progress value={s.fetching.share} max={1} aria-label={`replica ${s.id} fetches the state`} />
          <span>{s.fetching.text}</span>
        </p>
      )}
      {s.disk && (
        <p class="hint">
          journal {s.disk.journal} · state {s.disk.state} · memory {s.memory}
          {s.disk.wait && <span class="bad"> · waits for its disk for {s.disk.wait}</span>}
        </p>
      )}
      {p.peers && p.peers.length > 0 && <Peers peers={p.peers} s={s} />}
    </li>
  )
}

// What is done to one replica most often; the rest is under Faults.
function Acts(p: {
  s: Standing
  up: boolean
  acts: readonly string[]
  act: (words: string, act: string) => void
  busy: boolean
}) {
  const { s } = p
  const one = (act: string, text: string, doing: string, tone: 'plain' | 'main' | 'danger') =>
    p.acts.includes(act) && (
      <Button busy={p.busy} tone={tone} label={`${text} replica ${s.id}`} onClick={() => p.act(doing, act)}>
        {text}
      </Button>
    )
  return (
    <span class="replica-acts">
      {p.up && one('kill', 'Kill', 'killing', 'danger')}
      {p.up && one('pause', 'Pause', 'pausing', 'plain')}
      {p.up && one('wipe', 'Wipe', 'wiping', 'danger')}
      {!p.up && s.process.word === 'paused' && one('resume', 'Resume', 'resuming', 'main')}
      {!p.up && s.process.word !== 'paused' && one('start', 'Start', 'starting', 'main')}
    </span>
  )
}

// The window h … H of a replica as a bar, on the scale that all bars share.
function Window(p: { s: Standing; scale: Scale }) {
  const { s, scale: on } = p
  const [h, executed, taken, top] = [s.h, s.executed, s.taken, s.H].map(seq => 100 * place(on, seq)) as [
    number,
    number,
    number,
    number,
  ]
  const behind = s.H < on.from ? on.from - s.executed : 0
  const says = `${s.H > s.h ? `window from h ${s.h} to H ${s.H}; ` : ''}stable ${s.h}, last checkpoint ${s.taken}, executed ${s.executed}`
  return (
    <div class="window">
      <div class="window-bar" role="img" aria-label={says} title={says}>
        <span class="window-open" style={{ left: `${h}%`, width: `${Math.max(0, top - h)}%` }} />
        <span class="window-done" style={{ left: `${h}%`, width: `${Math.max(0, executed - h)}%` }} />
        {taken > h && <span class="window-taken" style={{ left: `${taken}%` }} />}
      </div>
      <div class="window-text">
        <span>h {count(s.h)}</span>
        <span class="window-executed">executed {count(s.executed)}</span>
        {s.H > s.h && <span>H {count(s.H)}</span>}
      </div>
      {behind > 0 && <p class="hint">{count(behind)} below the others’ windows</p>}
    </div>
  )
}

function Peers(p: { peers: readonly Peer[]; s: Standing }) {
  const away = p.peers.filter(q => !q.connected).length
  return (
    <details class="peers">
      <summary>
        {p.peers.map(q => (
          <span key={q.replica} class={`dot dot-${q.connected ? 'good' : 'bad'}`} aria-hidden="true" />
        ))}
        believes of the others{away > 0 && ` (${away} not linked)`}
      </summary>
      <table>
        <caption class="hidden">what replica {p.s.id} believes of the others</caption>
        <thead>
          <tr>
            <th scope="col">replica</th>
            <th scope="col">view</th>
            <th scope="col">executed</th>
            <th scope="col">stable</th>
            <th scope="col">heard</th>
          </tr>
        </thead>
        <tbody>
          {p.peers.map(q => (
            <tr key={q.replica} class={q.connected ? undefined : 'away'}>
              <th scope="row">{q.replica}</th>
              <td>
                {q.view}
                {q.active ? '' : ' …'}
              </td>
              <td>{count(q.executed)}</td>
              <td>{count(q.stable_checkpoint)}</td>
              <td>{q.heard_ms < 0 ? 'never' : `${span(q.heard_ms)} ago`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {p.peers
        .filter(q => q.error)
        .map(q => (
          <p class="hint" key={q.replica}>
            {q.replica}: {q.error}
          </p>
        ))}
      <p class="hint">
        {p.s.disk?.free && `${p.s.disk.free} free on its disk · `}
        {count(p.s.refused)} messages refused
      </p>
    </details>
  )
}

// How many clients stand in the list before the rest is counted.
const most = 12

function Clients(p: { lines: ClientLine[] }) {
  if (p.lines.length === 0) return null
  return (
    <section aria-label="clients" class="clients">
      <h2>Clients</h2>
      <ul class="plain client-list">
        {p.lines.slice(0, most).map(c => (
          <li key={c.name}>
            <b>c{c.name}</b>{' '}
            {c.open > 0 ? (
              <Tag tone={c.oldest > 1e6 ? 'warn' : 'calm'}>
                {c.open} open, {span(c.oldest / 1000)}
              </Tag>
            ) : (
              <span class="hint">{c.last < 0 ? 'silent' : `answered in ${span(c.last / 1000)}`}</span>
            )}
          </li>
        ))}
        {p.lines.length > most && <li class="hint">and {p.lines.length - most} more</li>}
      </ul>
    </section>
  )
}
