// What can be done to replicas: stop and start them, harm their disks, set their clocks.

import { useState } from 'preact/hooks'
import type { Acting } from './acting'
import { Button, Pick, Text } from './bits'
import { list, replicas } from './format'
import { chosen, sides } from './remembered'

// What a control does with the replicas that are picked.
interface Control {
  act: string
  text: string
  doing: string
  title: string
  danger?: boolean
}

const controls: { heading: string; all: Control[] }[] = [
  {
    heading: 'Process',
    all: [
      {
        act: 'kill',
        text: 'Kill',
        doing: 'killing',
        title: 'SIGKILL: it stops at once, and its disk stays as it is',
        danger: true,
      },
      { act: 'start', text: 'Start', doing: 'starting', title: 'start what does not run' },
      { act: 'restart', text: 'Restart', doing: 'restarting', title: 'stop it and start it again on the same disk' },
      { act: 'pause', text: 'Pause', doing: 'pausing', title: 'SIGSTOP: it does nothing, and its links stay open' },
      { act: 'resume', text: 'Resume', doing: 'resuming', title: 'let it go on where it was paused' },
    ],
  },
  {
    heading: 'Disk',
    all: [
      {
        act: 'wipe',
        text: 'Wipe',
        doing: 'wiping',
        title: 'kill it, delete its data and start it under its old key',
        danger: true,
      },
      {
        act: 'disk-full',
        text: 'Fill disk',
        doing: 'filling the disk of',
        title: 'every write fails from now on',
        danger: true,
      },
      {
        act: 'flip-bit',
        text: 'Flip a bit',
        doing: 'flipping a bit of the state of',
        title: 'turn one bit of its state',
        danger: true,
      },
    ],
  },
]

export interface ControlsProps {
  // Why nothing can be done; undefined if something can.
  not?: string
  acts: readonly string[]
  replicas: number
  acting: Acting
}

// Puts everything right that was done to the cluster.
export function Heal(p: { not?: string; acts: readonly string[]; acting: Acting }) {
  return (
    <fieldset class="bare" disabled={p.not !== undefined || !p.acts.includes('heal')}>
      <Button
        tone="main"
        title="links whole, paused replicas resume, dead ones start, liars are honest, clocks are right"
        busy={!!p.acting.busy}
        onClick={() => void heal(p.acting)}
      >
        Heal everything
      </Button>
    </fieldset>
  )
}

async function heal(acting: Acting) {
  if (await acting.run('healing everything …', { act: 'heal' })) sides.value = []
}

// What can be done to the replicas that are picked.
export function Controls(p: ControlsProps) {
  const [clock, setClock] = useState('2000')
  const { not, acting } = p
  const can = (act: string) => p.acts.includes(act)
  const one = chosen.value.length > 0
  const go = (c: Control) => {
    if (!one) return
    const extra = c.act === 'flip-bit' ? { key: '' } : {}
    void acting.run(`${c.doing} ${replicas(chosen.value)} …`, { act: c.act, replicas: [...chosen.value], ...extra })
  }
  const ms = Number(clock)
  return (
    <div class="controls">
      <fieldset class="bare" disabled={not !== undefined}>
        <Pick
          label="Act on replicas"
          replicas={p.replicas}
          chosen={chosen.value}
          onChange={ids => {
            chosen.value = ids
          }}
        />
        {!not && !one && <p class="hint">Choose one or more replicas first.</p>}
        <fieldset
          class="bare"
          disabled={!one}
          aria-label={one ? `what to do to replicas ${list(chosen.value)}` : 'choose replicas first'}
        >
          {controls.map(g => (
            <div class="named-row" key={g.heading}>
              <span class="row-name">{g.heading}</span>
              <span class="row">
                {g.all
                  .filter(c => not || can(c.act))
                  .map(c => (
                    <Button
                      key={c.act}
                      tone={c.danger ? 'danger' : 'plain'}
                      title={c.title}
                      busy={!!acting.busy}
                      onClick={() => go(c)}
                    >
                      {c.text}
                    </Button>
                  ))}
              </span>
            </div>
          ))}
          {(not || can('clock')) && (
            <form
              class="named-row"
              onSubmit={e => {
                e.preventDefault()
                if (Number.isFinite(ms))
                  void acting.run(`setting the clock of ${replicas(chosen.value)} …`, {
                    act: 'clock',
                    replicas: [...chosen.value],
                    by_ms: ms,
                  })
              }}
            >
              <span class="row-name">Clock</span>
              <span class="row row-end">
                <Text label="jump by, ms" value={clock} onInput={setClock} numeric />
                <Button submit busy={!!acting.busy} onClick={() => {}}>
                  Jump
                </Button>
              </span>
            </form>
          )}
        </fieldset>
      </fieldset>
    </div>
  )
}
