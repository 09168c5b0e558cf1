import { signal } from '@preact/signals'
import type { Line } from './requests'
import type { Side } from './sides'
import type { CardOutcome } from './tour'
import type { Trial } from './tryhere'

// What somebody chose or was told in a panel stays while another tab is shown.

export const chosen = signal<number[]>([]) // the replicas to act on
export const sides = signal<Side[]>([]) // of the network; who is not in it stands on the left
export const link = signal<[number, number]>([0, 1])
export const lie = signal<{ who: number; name: string; values: Record<string, string> }>({
  who: 0,
  name: 'equivocate',
  values: {},
})
export const answers = signal<Line[]>([]) // the newest first
export const tour = signal<{ card: string; outcomes: Record<string, CardOutcome>; done: Record<string, Trial> }>({
  card: '',
  outcomes: {},
  done: {}, // what was tried on the live cluster and not put right
})
