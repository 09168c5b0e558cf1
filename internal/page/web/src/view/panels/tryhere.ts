// Which cards of the tour can be tried on the live cluster, and by which acts. A card that is not in the table shows a fault
// which the page cannot cause here: a loss of power, a client that lies, a schedule of single messages.

import type { Act } from '../../wire/api'

// What the acts of a card depend on.
export interface Cluster {
  replicas: number
  quorum: number
  primary: number
}

// How a card is tried here.
export interface Trial {
  says: string
  acts: Act[]
  // What puts it right again, if that is not "heal".
  after?: { says: string; acts: Act[] }
}

type Make = (c: Cluster) => Trial

const heal: Act = { act: 'heal' }

// The first replica after the primary that is not the primary: a backup, the same one each time.
function backup(c: Cluster, step = 1): number {
  return (c.primary + c.replicas - step) % c.replicas
}

function everybody(c: Cluster): number[] {
  return Array.from({ length: c.replicas }, (_, i) => i)
}

// Each pair of replicas gets the same link, in both directions.
function links(c: Cluster, how: Record<string, unknown>): Act[] {
  const acts: Act[] = []
  for (let from = 0; from < c.replicas; from++) {
    for (let to = from + 1; to < c.replicas; to++) acts.push({ act: 'link', from, to, both: true, ...how })
  }
  return acts
}

function lies(who: number, behaviour: string, parameters: Record<string, string> = {}): Act {
  return { act: 'malicious', replica: who, behaviour, parameters }
}

const killPrimary: Make = c => ({
  says: `Kill replica ${c.primary}, the primary.`,
  acts: [{ act: 'kill', replicas: [c.primary] }],
  after: { says: `Start replica ${c.primary} again.`, acts: [{ act: 'start', replicas: [c.primary] }] },
})

const halves: Make = c => {
  const all = everybody(c)
  const middle = Math.ceil(c.replicas / 2)
  return {
    says: 'Part the replicas in two halves.',
    acts: [{ act: 'partition', groups: [all.slice(0, middle), all.slice(middle)] }],
  }
}

const loses: Make = c => ({
  says: 'Lose every third message between all replicas.',
  acts: links(c, { delay_ms: 0, loss: 0.33, cut: false }),
})

const liar =
  (words: string, which: (c: Cluster) => number, behaviour: string, parameters: Record<string, string> = {}): Make =>
  c => ({
    says: `Make replica ${which(c)} ${words}.`,
    acts: [lies(which(c), behaviour, parameters)],
    after: { says: `Make replica ${which(c)} honest again.`, acts: [{ act: 'honest', replica: which(c) }] },
  })

const primary = (c: Cluster) => c.primary
const equivocates = liar('propose another batch to every replica', primary, 'equivocate')
const wipes: Make = c => ({
  says: `Wipe the disk of replica ${backup(c)}, which starts again under its old key.`,
  acts: [{ act: 'wipe', replicas: [backup(c)] }],
})

const table: Record<string, Make> = {
  crash: killPrimary,
  'send-omission': liar('keep back half of what it should send', backup, 'send-omission', { probability: '0.5' }),
  'receive-omission': liar('hear nothing', backup, 'receive-omission'),
  'channel-omission': loses,
  'timing-late': liar('order each request just before its timeout ends', primary, 'slow-primary'),
  'timing-early': liar('answer before the requests are committed', backup, 'early', { what: 'reply' }),
  byzantine: equivocates,
  detection: killPrimary,
  isolation: liar('send frames that are no messages', backup, 'malformed'),
  diagnosis: liar('sign two checkpoints that contradict each other', backup, 'lying-checkpoint', { how: 'two' }),
  'software-redundancy': liar('give wrong results to every client', backup, 'lying-reply'),
  'time-redundancy': c => ({
    says: 'Delay every message between replicas by 200 ms.',
    acts: links(c, { delay_ms: 200, loss: 0, cut: false }),
  }),
  'masking-liar': c => ({
    says: `Make replica ${backup(c, 2)} give false parts of the state, and wipe replica ${backup(c)}.`,
    acts: [lies(backup(c, 2), 'poison-transfer'), { act: 'wipe', replicas: [backup(c)] }],
  }),
  'rollback-recovery': c => ({
    says: 'Kill all replicas at one moment.',
    acts: [{ act: 'kill', replicas: everybody(c) }],
    after: { says: 'Start all of them again.', acts: [{ act: 'start', replicas: everybody(c) }] },
  }),
  replication: c => ({
    says: `Cut replica ${backup(c)} off, under load, for more than a window of batches.`,
    acts: [
      { act: 'load', clients: 4, rate: 400 },
      { act: 'partition', groups: [everybody(c).filter(i => i !== backup(c)), [backup(c)]] },
    ],
  }),
  'process-failure': killPrimary,
  'storage-failure': c => ({
    says: `Fill the disk of replica ${backup(c)}.`,
    acts: [{ act: 'disk-full', replicas: [backup(c)] }],
  }),
  'medium-failure': halves,
  'lost-disk': wipes,
  'all-or-none': halves,
  retransmission: loses,
  'persistent-connections': halves,
  'rpc-server-failure': killPrimary,
  failover: killPrimary,
  agreement: equivocates,
  validity: liar('mix requests of the past into its batches', primary, 'replayed-requests'),
  termination: halves,
}

// The names of the cards that can be tried.
export const tried = Object.keys(table)

// How a card is tried on this cluster; undefined if it cannot be, or if the server does not offer an act that it takes.
export function trial(card: string, cluster: Cluster, offered: readonly string[]): Trial | undefined {
  const make = table[card]
  if (!make) return undefined
  const made = make(cluster)
  const after = made.after ?? { says: 'Heal everything.', acts: [heal] }
  const all = [...made.acts, ...after.acts]
  return all.every(a => offered.includes(a.act)) ? { ...made, after } : undefined
}
