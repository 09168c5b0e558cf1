// The picture of the network. A replica is dragged, or sent by its arrow keys, to the other side, which parts the network
// between the sides; a link is chosen to delay or lose its messages.

import { useState } from 'preact/hooks'
import type { Peer } from '../../model/frames'
import type { Act } from '../../wire/api'
import type { Acting } from './acting'
import { Button, Select, Text } from './bits'
import { Picture } from './picture'
import { link as linkOf, sides as sidesOf } from './remembered'
import { groups, meaning, type Side } from './sides'

export interface NetworkProps {
  // Why nothing can be done; undefined if something can.
  not?: string
  acts: readonly string[]
  replicas: number
  quorum: number
  primary: number
  // What each replica says of the others; null: it does not run.
  peers: readonly (readonly Peer[] | null)[]
  acting: Acting
}

// The act that cuts a link in both directions.
const cutOf = ([from, to]: [number, number]): Act => ({
  act: 'link',
  from,
  to,
  both: true,
  delay_ms: 0,
  loss: 0,
  cut: true,
})

// The panel.
export function Network(p: NetworkProps) {
  const { acting } = p
  const not = p.not ?? (p.acts.includes('partition') ? undefined : "This cluster's links cannot be changed here.")
  const sides = Array.from({ length: p.replicas }, (_, i): Side => sidesOf.value[i] ?? 'left')
  const parts = groups(sides)
  const busy = !!acting.busy

  const move = (id: number, side: Side) => {
    sidesOf.value = sides.map((s, i) => (i === id ? side : s))
  }
  const part = () => parts.length > 1 && acting.run('parting the network …', { act: 'partition', groups: parts })
  const join = async () => {
    if (await acting.run('joining the network …', { act: 'partition', groups: [] })) sidesOf.value = []
  }

  return (
    <div class="network">
      {not && !p.not && <p class="reason">{not}</p>}
      <Picture
        able={!not}
        sides={sides}
        primary={p.primary}
        peers={p.peers}
        link={linkOf.value}
        move={move}
        pick={l => {
          linkOf.value = l
        }}
        cut={links => void acting.run('cutting links …', ...links.map(cutOf))}
      />
      <fieldset class="bare" disabled={!!not}>
        <div class="sides">
          {sides.map((side, id) => (
            <Select
              key={id}
              label={`Replica ${id}`}
              value={side}
              onInput={v => move(id, v as Side)}
              options={[
                { value: 'left', text: 'left' },
                { value: 'right', text: 'right' },
              ]}
            />
          ))}
        </div>
        <p class="hint">{meaning(parts, p.quorum)}</p>
        <div class="row">
          <Button tone="danger" busy={busy} onClick={() => void part()}>
            Part the network
          </Button>
          <Button busy={busy} onClick={() => void join()}>
            End the partition
          </Button>
        </div>
        {p.acts.includes('link') && <LinkForm replicas={p.replicas} acting={acting} />}
      </fieldset>
    </div>
  )
}

// Delay, loss and cut of one link.
function LinkForm(p: { replicas: number; acting: Acting }) {
  const [delay, setDelay] = useState('0')
  const [loss, setLoss] = useState('0')
  const [both, setBoth] = useState(true)
  const [from, to] = linkOf.value
  const choose = (a: number, b: number) => {
    linkOf.value = [a, b]
  }
  const numbers = Array.from({ length: p.replicas }, (_, i) => ({ value: String(i), text: `replica ${i}` }))
  const set = (cut: boolean, whole = false) =>
    p.acting.run(`changing the link of ${from} and ${to} …`, {
      act: 'link',
      from,
      to,
      both,
      delay_ms: whole ? 0 : Number(delay) || 0,
      loss: whole ? 0 : Math.min(1, Math.max(0, (Number(loss) || 0) / 100)),
      cut,
    })
  return (
    <form
      class="link-form"
      aria-label="one link"
      onSubmit={e => {
        e.preventDefault()
        if (from !== to) void set(false)
      }}
    >
      <h2>One link</h2>
      <div class="fields">
        <Select label="From" value={String(from)} onInput={v => choose(Number(v), to)} options={numbers} />
        <Select label="To" value={String(to)} onInput={v => choose(from, Number(v))} options={numbers} />
        <Text label="Delay, ms" value={delay} numeric onInput={setDelay} />
        <Text label="Loss, %" value={loss} numeric onInput={setLoss} />
      </div>
      <label class="check">
        <input type="checkbox" checked={both} onChange={e => setBoth(e.currentTarget.checked)} /> in both directions
      </label>
      {from === to && <p class="hint">A link is between two replicas: choose another end.</p>}
      <div class="row">
        <Button submit busy={!!p.acting.busy} onClick={() => {}}>
          Delay and lose
        </Button>
        <Button tone="danger" busy={!!p.acting.busy} onClick={() => from !== to && void set(true)}>
          Cut
        </Button>
        <Button busy={!!p.acting.busy} onClick={() => from !== to && void set(false, true)}>
          Whole again
        </Button>
      </div>
    </form>
  )
}
