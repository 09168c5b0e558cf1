// Making a replica lie: the catalogue of behaviours by failure model, and a form of the parameters of the chosen one.

import { useId } from 'preact/hooks'
import type { Behaviour } from '../../model/frames'
import type { Acting } from './acting'
import { Button, Pick, Select, Text } from './bits'
import { byModel, chosen, type Field, fields } from './form'
import { lie } from './remembered'

// One parameter: a choice where its words are known, else text.
function Parameter(props: { field: Field; value: string; onInput: (v: string) => void }) {
  const { field: f, value, onInput } = props
  if (f.words.length === 0) {
    return (
      <Text label={f.label} value={value} placeholder={f.preset} hint={f.hint} numeric={f.numeric} onInput={onInput} />
    )
  }
  const now = value || f.preset
  return (
    <Select
      label={f.label}
      value={now}
      onInput={onInput}
      options={f.words.map(w => ({ value: w.word, text: w.word }))}
      hint={f.words.find(w => w.word === now)?.means}
    />
  )
}

const set = (some: Partial<typeof lie.value>) => {
  lie.value = { ...lie.value, ...some }
}

// The part of the controls that makes replicas lie, and honest again.
export function Lies(p: {
  replicas: number
  behaviours: readonly Behaviour[]
  liars: readonly number[]
  acting: Acting
  // Why nothing can be done; undefined if something can.
  not?: string
}) {
  const { who, name, values } = lie.value
  const picker = useId()
  const b = p.behaviours.find(x => x.name === name) ?? p.behaviours[0]
  const busy = !!p.acting.busy
  return (
    <fieldset class="bare" disabled={p.not !== undefined || p.behaviours.length === 0}>
      <form
        class="lies"
        aria-label="make a replica malicious"
        onSubmit={e => {
          e.preventDefault()
          if (!b) return
          void p.acting.run(`replica ${who} turns malicious …`, {
            act: 'malicious',
            replica: who,
            behaviour: b.name,
            parameters: chosen(b, values),
          })
        }}
      >
        <Pick label="Replica" one replicas={p.replicas} chosen={[who]} onChange={ids => set({ who: ids[0] ?? 0 })} />
        <div class="field">
          <label for={picker}>Behaviour</label>
          <select
            id={picker}
            value={b?.name}
            aria-describedby={`${picker}-does`}
            onInput={e => {
              set({ name: e.currentTarget.value, values: {} })
            }}
          >
            {byModel(p.behaviours).map(g => (
              <optgroup label={g.model} key={g.model}>
                {g.behaviours.map(x => (
                  <option value={x.name} key={x.name}>
                    {x.name}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
          {b && (
            <div class="hint" id={`${picker}-does`}>
              <p>{b.summary}</p>
              <p>
                <b>What the cluster keeps up:</b> {b.bound}
              </p>
            </div>
          )}
        </div>
        {b && (
          <div class="parameters">
            {fields(b).map(f => (
              <Parameter
                key={`${b.name}.${f.name}`}
                field={f}
                value={values[f.name] ?? ''}
                onInput={v => set({ values: { ...values, [f.name]: v } })}
              />
            ))}
          </div>
        )}
        <div class="row">
          <Button submit tone="danger" busy={busy} onClick={() => {}}>
            Make replica {who} lie
          </Button>
          <Button
            busy={busy}
            onClick={() => void p.acting.run(`making replica ${who} honest …`, { act: 'honest', replica: who })}
          >
            Honest again
          </Button>
        </div>
        {p.liars.length > 0 && <p class="hint">Malicious now: {p.liars.map(l => `replica ${l}`).join(', ')}.</p>}
      </form>
    </fieldset>
  )
}
