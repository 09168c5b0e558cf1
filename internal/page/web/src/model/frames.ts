import type { Header } from './types'

// What the server says about the cluster besides its events. Only fields that the page reads are named: a report may have
// more (client/status).

export interface Report {
  replica: number
  view: number
  active: boolean
  primary: number
  handed: number
  executed: number
  stable_checkpoint: number
  state_digest: string
  in_flight: number
  pending: number
  connected: number[]
  twice: number[]
  clients: number
  health: string
  convicted: { replica: number; kind: string }[] | null
  view_changes: number
  received: number
  refused: number
  journal_bytes: number
  store_bytes: number
  rss_bytes: number
  anon_bytes: number
  uptime_ms: number
  pid: number
  left_behind?: boolean
  executing?: { seq: number; seconds: number; request: string; client: string }
  hung_reads?: number
  durability: string
  recovery?: Recovery
  split_checkpoint?: number
  state_version: number
  oldest_version: number
  newest_version: number
  quorum?: number
  peers?: Peer[]
  refusals?: { from: number; reason: string; count: number }[]
  turn_ms?: number
  disk_free_bytes?: number
  [more: string]: unknown
}

export interface Peer {
  replica: number
  connected: boolean
  since_ms?: number
  error?: string
  heard_ms: number
  view: number
  active: boolean
  executed: number
  stable_checkpoint: number
}

export interface Recovery {
  phase: 'forgotten' | 'asking' | 'fetching' | 'silent' | 'following'
  why?: string
  answered?: number[]
  lost_too?: number[]
  no_answer?: number[]
  needed?: number
  silent_until?: number
  from_view?: number
  unclean?: boolean
  halted?: boolean
  transfer?: TransferReport
}

export interface TransferReport {
  phase: string
  checkpoint: number
  share: number
  bytes: number
  late_bytes: number
  bytes_per_second: number
  remaining_ms: number
  rounds: number
  donors: number[]
  blamed: number
}

export interface HeaderFrame extends Header {
  frame: 'header'
}
export interface ReportsFrame {
  frame: 'reports'
  at_us: number
  reports: (Report | null)[] // null: the replica does not run
}
export interface LoadFrame {
  frame: 'load'
  at_us: number
  submitted: number // counts since the beginning
  acknowledged: number
  failed: number
  in_flight: number
  p50_us: number // latencies of the last second
  p99_us: number
}
export interface SamplingFrame {
  frame: 'sampling'
  at_us: number
  every: number // 1 of so many slots is shown; 1: all are
  left_out: number // events, since the last such frame
}
export interface NoteFrame {
  frame: 'note'
  at_us: number
  text: string
}
export interface VerdictFrame {
  frame: 'verdict'
  at_us: number
  document: Document
}
export interface KeptFrame {
  frame: 'kept'
}
export type Frame = HeaderFrame | ReportsFrame | LoadFrame | SamplingFrame | NoteFrame | VerdictFrame | KeptFrame

// Document is the report of a scenario's run.
export interface Document {
  scenario: string
  engine: string
  seed: number
  verdict: string
  view_changes: number
  final_view: number
  [more: string]: unknown
}

export interface Parameter {
  name: string
  default: string
  summary: string
}
export interface Behaviour {
  name: string
  model: string
  summary: string
  bound: string
  parameters: Parameter[]
  party: string
  use: string
}
export interface Card {
  name: string
  question: number
  title: string
  text: string
  look: string
  code: string[]
  scenario: string
  live: boolean // it happens with replicas that are processes
}
export interface About {
  mode: 'live' | 'run' | 'trace' | 'node'
  title: string
  engine: string
  replicas: number
  quorum: number
  faulty: number
  machine: string
  self?: number // the replica whose page this is; only in mode node
  checkpoint_interval: number
  window: number
  view_timeout_ms: number
  clients: string[]
  acts: string[] // none: the page only shows
  behaviours: Behaviour[]
  questions: string[]
  cards: Card[]
}
