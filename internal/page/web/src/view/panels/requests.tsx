// Requests by hand, and load: what is written, read or deleted, which replicas vouched for the answer, and who differed.

import { useState } from 'preact/hooks'
import type { LoadFrame } from '../../model/frames'
import type { RequestName } from '../../model/types'
import { requestKey } from '../../model/world'
import { type Acting, type Post, useActing } from './acting'
import { Button, Outcome, Tag, Text } from './bits'
import { count, list, span } from './format'
import { answers } from './remembered'

// What came of a request.
export interface Answered {
  value?: string | null
  found?: boolean
  seq: number
  vouched: number[]
  differs: number[]
  client: number | string
  number: number
}

export interface Line {
  what: string
  answer: Answered
}

// How many answers stay in sight.
const shown = 6

export interface RequestsProps {
  // Why nothing can be done; undefined if something can.
  not?: string
  acts: readonly string[]
  faulty: number
  post: Post
  load?: LoadFrame
  before?: LoadFrame
  followed: string
  // Whether nothing of the followed request is shown: under load the messages of some slots are left out.
  lost: boolean
  follow: (r: RequestName) => void
}

// The panel.
export function Requests(p: RequestsProps) {
  const acting = useActing(p.post)
  const [key, setKey] = useState('greeting')
  const [value, setValue] = useState('hello')
  const lines = answers.value
  const not = p.not ?? (p.acts.includes('get') ? undefined : 'This machine has no keys to read or write.')
  const busy = !!acting.busy
  const go = async (act: 'put' | 'get' | 'delete') => {
    const done = await acting.run(`${act} ${key} …`, act === 'put' ? { act, key, value } : { act, key })
    if (!done?.result) return
    const line = { what: `${act} ${key}`, answer: done.result as Answered }
    answers.value = [line, ...answers.value].slice(0, shown)
  }
  return (
    <>
      <div class="panel">
        {not && <p class="reason">{not}</p>}
        <fieldset class="bare" disabled={!!not}>
          <form
            aria-label="a request"
            onSubmit={e => {
              e.preventDefault()
              void go('put')
            }}
          >
            <div class="fields">
              <Text label="Key" value={key} onInput={setKey} required />
              <Text label="Value" value={value} onInput={setValue} />
            </div>
            <div class="row">
              <Button submit tone="main" busy={busy} onClick={() => {}}>
                Put
              </Button>
              <Button busy={busy} onClick={() => void go('get')}>
                Get
              </Button>
              <Button busy={busy} onClick={() => void go('delete')}>
                Delete
              </Button>
            </div>
          </form>
        </fieldset>
        {lines.length > 0 && (
          <ol class="answers" aria-label="answers, the newest first">
            {lines.map(l => (
              <Answer
                key={`${l.answer.client}.${l.answer.number}`}
                {...l}
                faulty={p.faulty}
                followed={p.followed}
                lost={p.lost}
                follow={p.follow}
              />
            ))}
          </ol>
        )}
        {(not || p.acts.includes('load')) && <Loads {...p} not={not} acting={acting} />}
      </div>
      <Outcome {...acting} />
    </>
  )
}

function Answer(p: Line & { faulty: number; followed: string; lost: boolean; follow: (r: RequestName) => void }) {
  const a = p.answer
  const on = p.followed === requestKey(a.client, a.number)
  return (
    <li>
      <span class="answer-what">
        <b>{p.what}</b>
        {a.value !== undefined && a.value !== null && a.found !== false && <code>{a.value}</code>}
        {a.found === false && <span class="hint">no such key</span>}
        <span class="hint">at s{a.seq}</span>
      </span>
      <span class="answer-who">
        <Tag tone="good" title={`${p.faulty + 1} equal answers suffice: at least one of them is of a correct replica`}>
          vouched: {list(a.vouched)}
        </Tag>
        {a.differs.length > 0 && <Tag tone="bad">differed: {list(a.differs)}</Tag>}
        <Button
          pressed={on}
          label={`follow ${p.what}, request ${a.number} of client ${a.client}, in the diagram`}
          onClick={() => p.follow({ client: a.client, number: a.number })}
        >
          {on ? 'Followed' : 'Follow'}
        </Button>
      </span>
      {on && p.lost && (
        <span class="hint">
          Its slot is not among those that are shown while so much happens: lower the load, and send another one.
        </span>
      )}
    </li>
  )
}

// The load that clients of the testnet put on the cluster, and what comes of it.
function Loads(p: RequestsProps & { not?: string; acting: Acting }) {
  const { acting } = p
  const [clients, setClients] = useState('4')
  const [rate, setRate] = useState('200')
  const set = (to: number) =>
    acting.run('setting the load …', { act: 'load', clients: Math.max(1, Math.round(Number(clients) || 1)), rate: to })
  const { load, before } = p
  const seconds = load && before ? (load.at_us - before.at_us) / 1e6 : 0
  return (
    <fieldset class="bare" disabled={!!p.not}>
      <form
        aria-label="load"
        onSubmit={e => {
          e.preventDefault()
          void set(Math.max(0, Number(rate) || 0))
        }}
      >
        <h2>Load</h2>
        <div class="fields">
          <Text label="Clients" value={clients} onInput={setClients} numeric />
          <Text label="Operations a second, together" value={rate} onInput={setRate} numeric />
        </div>
        <div class="row">
          <Button submit busy={!!acting.busy} onClick={() => {}}>
            Set the load
          </Button>
          <Button busy={!!acting.busy} onClick={() => void set(0)}>
            Stop
          </Button>
        </div>
      </form>
      {load && (
        <dl class="figures">
          <Figure name="acknowledged" value={count(load.acknowledged)} />
          <Figure
            name="a second"
            value={before && seconds > 0 ? count((load.acknowledged - before.acknowledged) / seconds) : '–'}
          />
          <Figure name="open" value={count(load.in_flight)} />
          <Figure name="failed" value={count(load.failed)} />
          <Figure name="median" value={load.p50_us > 0 ? span(load.p50_us / 1000) : '–'} />
          <Figure name="99 of 100 below" value={load.p99_us > 0 ? span(load.p99_us / 1000) : '–'} />
        </dl>
      )}
    </fieldset>
  )
}

// One number with its name.
export function Figure(p: { name: string; value: string; title?: string }) {
  return (
    <div title={p.title}>
      <dt>{p.name}</dt>
      <dd>{p.value}</dd>
    </div>
  )
}
