// The lines of a trace (docs/trace.md) and the frames that the page's server puts between them. A line may have fields
// that are not named here, and kinds that are not: a reader skips both.

// NOWHERE is used where a replica's number is expected, for a client or for the cluster as a whole.
export const NOWHERE = -1

export interface RequestName {
  client: number | string // its number among the cluster's clients, or the first digits of its key
  number: number
}

export interface Message {
  type?: string // absent if it could not be decoded
  view?: number
  seq?: number
  digest?: string
  text: string
  client?: number | string // of a request or a reply
  number?: number
  requests?: RequestName[] // of a pre-prepare, at most 16
}

interface Stamp<Kind extends string> {
  at_us: number
  replica: number
  event: Kind
}

export interface Sent extends Stamp<'sent'> {
  to: number
  bytes: number
  message: Message
}
export interface Received extends Stamp<'received'> {
  from: number
  message: Message
}
export interface Refused extends Stamp<'refused'> {
  from: number
  message: Message
  why: string
}
export interface Dropped extends Stamp<'dropped'> {
  message: Message
  why: string
}
export interface Quarantined extends Stamp<'quarantined'> {
  from: number
  for_us: number
}
export type PhaseName = 'pre-prepared' | 'prepared' | 'committed'
export interface Phase extends Stamp<'phase'> {
  phase: PhaseName
  view: number
  seq: number
  digest: string
  requests?: number
  votes: number
  quorum: number
}
export interface Executed extends Stamp<'executed'> {
  seq: number
  requests: number
}
export interface ViewStep extends Stamp<'view'> {
  step: 'suspected' | 'asked' | 'entered'
  view: number
  cause: string // timer, evidence, or the type of the message that caused the step
  suspects?: number[]
}
export interface Checkpoint extends Stamp<'checkpoint'> {
  step: 'taken' | 'stable'
  seq: number
  digest: string
}
export interface Synced extends Stamp<'synced'> {
  records: number
  took_us: number
}
export interface Transfer extends Stamp<'transfer'> {
  step: 'begun' | 'progress' | 'installed' | 'resumed' | 'starving' | 'damaged'
  seq: number
  share?: number
  bytes?: number
}
export interface Evidence extends Stamp<'evidence'> {
  against: number
  proves: string
  first: Message
  second: Message
}
export interface Diverged extends Stamp<'diverged'> {
  seq: number
  own: string
  stable: string
}
export interface Split extends Stamp<'split'> {
  seq: number
  votes: { replica: number; digest: string }[]
}
export interface Forgot extends Stamp<'forgot'> {
  said: string
  witness: number
}
export interface Process extends Stamp<'process'> {
  step: 'started' | 'crashed' | 'stopped' | 'paused' | 'resumed' | 'noted'
  view?: number
  seq?: number
  why?: string
}
export interface Fault extends Stamp<'fault'> {
  step: 'fired' | 'healed'
  what: string
}
export interface RequestStep extends Stamp<'request'> {
  client: number
  step: 'asked' | 'answered'
  number: number
  seq?: number
}
export interface Lost extends Stamp<'lost'> {
  events: number
}

export type TraceEvent =
  | Sent
  | Received
  | Refused
  | Dropped
  | Quarantined
  | Phase
  | Executed
  | ViewStep
  | Checkpoint
  | Synced
  | Transfer
  | Evidence
  | Diverged
  | Split
  | Forgot
  | Process
  | Fault
  | RequestStep
  | Lost

export type Kind = TraceEvent['event']

export const KINDS: readonly Kind[] = [
  'sent',
  'received',
  'refused',
  'dropped',
  'quarantined',
  'phase',
  'executed',
  'view',
  'checkpoint',
  'synced',
  'transfer',
  'evidence',
  'diverged',
  'split',
  'forgot',
  'process',
  'fault',
  'request',
  'lost',
]

// Header is the first line of a trace.
export interface Header {
  tagma_trace: number
  engine: string // sim: times count from the beginning of the run; processes: from the Unix epoch
  replicas: number
  seed?: number
  name?: string
  moment_us?: number // the moment at which a file that somebody saved is opened
}
