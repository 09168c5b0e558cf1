import { describe, expect, test } from 'vitest'
import type { History } from '../src/model/history'
import type { TraceEvent } from '../src/model/types'
import { clusterView, faultyOf, quorumOf } from '../src/model/world'
import { historyOf, historyOfTrace, readTrace } from './fixtures'

const text = (h: History) => h.sentences.list.map(s => s.text)
const find = (h: History, fits: (e: TraceEvent) => boolean): number => {
  for (let i = h.timeline.first; i < h.timeline.end; i++) {
    const e = h.timeline.at(i)
    if (e && fits(e)) return i
  }
  throw new Error('no such event in the trace')
}

test.each([
  [4, 1, 3],
  [5, 1, 4],
  [6, 1, 4],
  [7, 2, 5],
  [10, 3, 7],
])('of %i replicas %i may be faulty, and a quorum has %i', (n, f, q) => {
  expect(faultyOf(n)).toBe(f)
  expect(quorumOf(n)).toBe(q)
})

describe('an equivocating primary', () => {
  const h = historyOfTrace('equivocate')

  test('is known by its three pre-prepares for one slot, and those who pass them on as proof are not blamed', () => {
    expect(h.arrows.lies.map(a => [a.from, a.to, a.type])).toEqual([
      [0, 1, 'pre-prepare'],
      [0, 2, 'pre-prepare'],
      [0, 3, 'pre-prepare'],
    ])
    expect(text(h).filter(t => t.includes('contradicts itself'))).toEqual([
      'Replica 0 contradicts itself about slot 20: its pre-prepares name 83e62ca4 and 7c52347b',
    ])
  })

  test('is suspected, replaced and convicted, in plain sentences', () => {
    const said = text(h)
    expect(said).toContain(
      'Replica 1 suspects replica 0, the primary of view 0: it holds proof that the primary lies; 1 of 4 suspect it, and 2 must',
    )
    expect(said).toContain(
      '2 of 4 suspect replica 0 (1 and 2): that is f + 1, so a correct one is among them, and replica 2 asks for view 1',
    )
    expect(said).toContain('View 1 serves: replicas 0, 1 and 2 are in it, a quorum of 3')
    expect(said.filter(t => t.startsWith('Replica 1 holds proof'))).toHaveLength(1)
  })

  test('leaves a world in which view 1 serves and everybody else holds proof', () => {
    const w = h.timeline.worldAt(h.timeline.end)
    expect(clusterView(w)).toEqual({ view: 1, at: 4 })
    expect(w.replicas[0]?.convictedBy).toEqual([1, 2, 3])
    expect(w.suspicions.get(0)).toEqual([1, 2, 3])
  })

  test('every message of a network without loss arrives, and none twice', () => {
    const sent = h.arrows.list.filter(a => a.sent >= 0 && a.from >= 0 && a.to >= 0)
    const end = h.timeline.lastAt
    expect(sent.filter(a => a.got < 0 && a.start < end - 1000)).toEqual([])
    expect(new Set(sent.map(a => a.got)).size).toBe(sent.length - sent.filter(a => a.got < 0).length + 1)
  })

  test('a world before a quorum closes counts the votes that are known', () => {
    const closed = find(h, e => e.event === 'phase' && e.phase === 'committed' && e.seq === 19 && e.replica === 0)
    const cell = (moment: number) => h.timeline.worldAt(moment).slots.get(19)?.cells[0]
    expect(cell(closed)?.phase).toBe('prepared')
    expect(cell(closed)?.commits).toBe(3)
    expect(cell(closed)?.committedAt).toBe(-1)
    expect(cell(closed + 1)?.phase).toBe('committed')
    expect(cell(closed + 1)?.committedAt).toBe(h.timeline.at(closed)?.at_us)
  })
})

describe('a certificate of an older view', () => {
  const h = historyOfTrace('two-views-prepared')

  test('is shown by a view-change and carried over by the new-view', () => {
    const said = text(h)
    expect(said).toContain(
      'The view-change of replica 3 to view 2 shows that slot 1 (e61b4479, in view 1) prepared before',
    )
    expect(said).toContain(
      'The new-view of view 2 rests on the view-changes of replicas 1, 2 and 3 and carries over slot 1 (e61b4479)',
    )
  })

  test('is found by going from cause to cause: from the execution back to the new-view', () => {
    let i = find(h, e => e.event === 'executed' && e.seq === 1)
    const way: string[] = []
    for (let n = 0; n < 40; n++) {
      const e = h.timeline.at(i) as TraceEvent
      way.push('message' in e ? `${e.event} ${e.message.type}` : 'phase' in e ? e.phase : e.event)
      if ('message' in e && e.message.type === 'new-view') break
      const cause = h.causes(i)[0]
      if (!cause) break
      expect(cause.index).toBeLessThan(i)
      i = cause.index
    }
    expect(way.slice(0, 3)).toEqual(['executed', 'committed', 'received commit'])
    expect(way[way.length - 1]).toMatch(/new-view/)
  })

  test('needs a view change because messages are lost, which are told from those on their way', () => {
    const lost = h.arrows.list.filter(a => h.arrows.lost(a, h.timeline.lastAt))
    expect(lost.length).toBeGreaterThan(10)
    const first = lost[0]
    expect(first && h.arrows.lost(first, first.start + 1000)).toBe(false)
  })
})

describe('a request', () => {
  test('is followed from its client through its slot to the replies', () => {
    const h = historyOfTrace('two-views-prepared')
    const way = h.follow('1/1')
    expect(way.slot).toBe(1)
    const kinds = new Set([...way.arrows].map(a => a.type))
    for (const type of ['request', 'pre-prepare', 'prepare', 'commit', 'reply']) expect(kinds).toContain(type)
    const answered = find(h, e => e.event === 'request' && e.step === 'answered' && e.client === 1)
    expect(h.timeline.at(h.causes(answered)[0]?.index ?? -1)).toMatchObject({
      event: 'sent',
      message: { type: 'reply' },
    })
  })
})

describe('a crash', () => {
  test('a replica that starts again comes with what its journal has', () => {
    const h = historyOfTrace('seed7')
    const start = find(h, e => e.event === 'process' && e.step === 'started' && e.replica === 4)
    expect(h.timeline.worldAt(start + 1).replicas[4]?.process).toBe('running')
    expect(text(h)).toContain('Mended: crash of replica 4')
  })
})

describe('a history that begins in the middle of a run', () => {
  const { header, events } = readTrace('equivocate')
  const late = events.map(e => {
    const copy = structuredClone(e) as TraceEvent & { seq?: number; view?: number; message?: { seq?: number } }
    if (copy.seq !== undefined) copy.seq += 90_000
    if (copy.message?.seq !== undefined) copy.message.seq += 90_000
    return copy as TraceEvent
  })
  // A liar's message names a slot that is far ahead.
  const far: TraceEvent = {
    at_us: 190_050,
    replica: 1,
    event: 'received',
    from: 3,
    message: { type: 'commit', view: 0, seq: 4e18, digest: 'ff', text: 'commit v0 s4000000000000000000 ff' },
  }

  test('shows the order where it is, whatever a message says', () => {
    const h = historyOf(header, [far, ...late, far])
    const w = h.timeline.worldAt(h.timeline.end)
    expect(w.highest).toBe(90_020)
    expect(w.slots.get(90_019)?.cells[0]?.phase).toBe('committed')
  })

  test('tells the view by what is ordered in it', () => {
    const after = late.filter(e => e.at_us > 201_400 && e.event !== 'view')
    const h = historyOf(header, after)
    expect(clusterView(h.timeline.worldAt(h.timeline.end))).toEqual({ view: 1, at: 4 })
  })
})

describe('every event of the traces', () => {
  test.each(['equivocate', 'two-views-prepared', 'seed7'])('%s: a cause comes before what it causes', name => {
    const h = historyOfTrace(name)
    for (let i = h.timeline.first; i < h.timeline.end; i++) {
      for (const c of h.causes(i)) expect(c.index).toBeLessThan(i)
    }
  })
})

describe('the time machine', () => {
  const { header, events } = readTrace('equivocate')
  // Many times the trace gives several keyframes, and the second history keeps only its end.
  const long = Array.from({ length: 12 }, () => events).flat()

  test('the world at a moment is the same whichever way one came there', () => {
    const h = historyOf(header, long)
    const moments = [0, 1, 1999, 2000, 2001, 5555, 3000, 9000, h.timeline.end - 1, 100]
    for (const m of moments) {
      const fresh = historyOf(header, long.slice(0, m))
      expect(h.timeline.worldAt(m), `moment ${m}`).toEqual(fresh.timeline.worldAt(m))
    }
  })

  test('events that are forgotten leave the numbers of the others', () => {
    const h = historyOf(header, long, 6000)
    const all = historyOf(header, long)
    expect(h.timeline.first).toBeGreaterThan(0)
    expect(h.timeline.end).toBe(all.timeline.end)
    expect(h.timeline.at(h.timeline.first)).toEqual(all.timeline.at(h.timeline.first))
    expect(h.timeline.worldAt(h.timeline.first + 10).replicas).toEqual(
      all.timeline.worldAt(h.timeline.first + 10).replicas,
    )
    expect(h.sentences.list.every(s => s.index >= h.timeline.first)).toBe(true)
  })

  test('a time names the moment at which everything up to it has happened', () => {
    const h = historyOf(header, events)
    const m = h.timeline.momentAt(200_000)
    expect(h.timeline.at(m - 1)?.at_us).toBeLessThanOrEqual(200_000)
    expect(h.timeline.at(m)?.at_us).toBeGreaterThan(200_000)
  })
})
