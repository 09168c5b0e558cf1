import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { History } from '../src/model/history'
import type { Header, TraceEvent } from '../src/model/types'

// readTrace reads a trace of test/traces, which are cut from runs of the simulator (test/traces/README.md).
export function readTrace(name: string): { header: Header; events: TraceEvent[] } {
  const lines = readFileSync(join(import.meta.dirname, 'traces', `${name}.jsonl`), 'utf8')
    .trim()
    .split('\n')
  const [header, ...events] = lines.map(l => JSON.parse(l) as unknown)
  return { header: header as Header, events: events as TraceEvent[] }
}

export function historyOf(header: Header, events: readonly TraceEvent[], most?: number): History {
  const h = new History(most)
  h.begin(header)
  for (const e of events) h.add(e)
  return h
}

export function historyOfTrace(name: string): History {
  const { header, events } = readTrace(name)
  return historyOf(header, events)
}
