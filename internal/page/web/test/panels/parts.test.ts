import { expect, test } from 'vitest'
import type { LoadFrame, Peer, ReportsFrame } from '../../src/model/frames'
import type { RequestStep } from '../../src/model/types'
import { newWorld } from '../../src/model/world'
import { common, compare } from '../../src/view/panels/differ'
import { byModel, chosen, fields, words } from '../../src/view/panels/form'
import { bytes, count, list, percent, replicas, span } from '../../src/view/panels/format'
import { fromLoad, fromRequests, marks, sizes, stepFor } from '../../src/view/panels/series'
import { border, crossed, groups, hears, meaning, positions, sideOf, width, worse } from '../../src/view/panels/sides'

test('numbers have units and thin spaces, and lists an "and"', () => {
  expect([bytes(0), bytes(1023), bytes(1536), bytes(300 << 20)]).toEqual(['0 B', '1023 B', '1.5 KiB', '300 MiB'])
  expect([count(999), count(1234567)]).toEqual(['999', '1\u2009234\u2009567'])
  expect([span(0.5), span(999), span(1500), span(180_000)]).toEqual(['0.5 ms', '999 ms', '1.5 s', '3 min'])
  expect([percent(0), percent(0.005), percent(0.5)]).toEqual(['0 %', '0.5 %', '50 %'])
  expect([list([]), list([2]), list([0, 1, 3]), replicas([0, 1])]).toEqual([
    'nobody',
    '2',
    '0, 1 and 3',
    'replicas 0 and 1',
  ])
})

test('two statements are compared field by field, and the digest shows where it departs', () => {
  const rows = compare(
    { type: 'pre-prepare', view: 0, seq: 20, digest: 'abcd', text: 'one' },
    { type: 'pre-prepare', view: 0, seq: 20, digest: 'abef', text: 'other' },
  )
  expect(rows.map(r => [r.field, r.differs])).toEqual([
    ['type', false],
    ['view', false],
    ['sequence number', false],
    ['digest', true],
    ['in one line', true],
  ])
  expect(common('abcd', 'abef')).toBe(2)
})

test('a field that only one statement has differs', () => {
  const rows = compare({ text: 'x', requests: [{ client: 0, number: 1 }] }, { text: 'x' })
  expect(rows[0]).toEqual({ field: 'requests', first: '[{"client":0,"number":1}]', second: '–', differs: true })
})

const behaviour = (name: string, model: string, parameters: { name: string; default: string; summary: string }[]) => ({
  name,
  model,
  summary: '',
  bound: '',
  parameters,
  party: 'replica',
  use: '',
})

test('a parameter whose summary lists words is a choice, and others take text', () => {
  const how = {
    name: 'how',
    default: 'wrong',
    summary: 'wrong: another digest; two: the true one, and another; far: ahead',
  }
  expect(words(how).map(w => w.word)).toEqual(['wrong', 'two', 'far'])
  expect(words({ name: 'p', default: 'no', summary: 'yes: it proposes nothing' }).map(w => w.word)).toEqual([
    'no',
    'yes',
  ])
  expect(words({ name: 'to', default: 'all', summary: 'whom it tells nothing, such as 1+2' })).toEqual([])
  expect(words({ name: 'client', default: 'first', summary: 'whom it ignores: first, or a key' })).toEqual([])
})

test('the form sends what differs from the defaults, and nothing that was emptied', () => {
  const b = behaviour('slow', 'timing', [
    { name: 'delay', default: '0.9T', summary: 'how late' },
    { name: 'types', default: 'all', summary: 'which' },
    { name: 'from_seq', default: '0', summary: 'from when' },
  ])
  expect(chosen(b, { delay: ' 2T ', types: '', from_seq: '0', other: 'x' })).toEqual({ delay: '2T' })
  expect(fields(b).map(f => [f.label, f.numeric])).toEqual([
    ['delay', false],
    ['types', false],
    ['from seq', true],
  ])
})

test('behaviours stand under their failure models in the order of the catalogue', () => {
  const all = [behaviour('a', 'crash', []), behaviour('b', 'timing', []), behaviour('c', 'crash', [])]
  expect(byModel(all).map(g => [g.model, g.behaviours.map(b => b.name)])).toEqual([
    ['crash', ['a', 'c']],
    ['timing', ['b']],
  ])
})

test('replicas stand on their side of the border, wherever that runs', () => {
  for (const sides of [
    ['left', 'left', 'left', 'left'],
    ['left', 'right', 'left', 'right'],
    ['right', 'right', 'right', 'right'],
    ['left', 'left', 'left', 'left', 'left', 'left', 'right'],
  ] as const) {
    positions(sides).forEach((at, id) => {
      expect(sideOf(at.x, sides)).toBe(sides[id])
      expect(at.x > 20 && at.x < width - 20).toBe(true)
    })
  }
  expect(border(['left', 'right'])).toBe(width / 2)
})

test('a partition says which side goes on', () => {
  expect(groups(['left', 'right', 'left', 'left'])).toEqual([[0, 2, 3], [1]])
  expect(meaning([[0, 1, 2, 3]], 3)).toContain('Everybody')
  expect(meaning([[0, 2, 3], [1]], 3)).toContain('{0, 2, 3} is a quorum of 3 and goes on')
  expect(
    meaning(
      [
        [0, 1],
        [2, 3],
      ],
      3,
    ),
  ).toContain('neither side is a quorum')
})

test('a link is as good as its worse direction', () => {
  const peers = [
    { replica: 1, connected: true, heard_ms: 100 },
    { replica: 2, connected: true, heard_ms: 9000 },
    { replica: 3, connected: false, heard_ms: 100 },
  ] as Peer[]
  expect([1, 2, 3, 4].map(id => hears(peers, id))).toEqual(['well', 'late', 'not', undefined])
  expect([worse('well', 'late'), worse('not', 'late'), worse(undefined, 'well')]).toEqual(['late', 'not', 'well'])
})

test('a stroke cuts the links that it crosses and no others', () => {
  const at = positions(['left', 'left', 'left', 'left']) // clockwise from the upper left corner
  const across = {
    from: { x: (at[0]!.x + at[1]!.x) / 2 - 20, y: 0 },
    to: { x: (at[0]!.x + at[1]!.x) / 2 - 20, y: 300 },
  }
  expect(crossed(across, at)).toEqual([
    [0, 1],
    [0, 2],
    [1, 3],
    [2, 3],
  ])
  expect(crossed({ from: { x: 0, y: 0 }, to: { x: 5, y: 5 } }, at)).toEqual([])
})

const load = (at: number, acknowledged: number): LoadFrame => ({
  frame: 'load',
  at_us: at * 1e6,
  submitted: acknowledged,
  acknowledged,
  failed: 0,
  in_flight: 0,
  p50_us: 2000,
  p99_us: 0,
})

test('rates come from counters, and none is invented over a gap or a counter that began anew', () => {
  const c = fromLoad([load(10, 0), load(11, 200), load(20, 300), load(21, 50)], 10e6)
  expect(c.at).toEqual([0, 1, 10, 11])
  expect(c.rate).toEqual([null, 200, null, null])
  expect(c.p50[1]).toBe(2)
  expect(c.p99[1]).toBe(null)
})

const request = (at: number, step: 'asked' | 'answered', number: number): RequestStep => ({
  at_us: at,
  replica: -1,
  event: 'request',
  client: 0,
  step,
  number,
})

test('without counters, rates and latencies come from the requests of the trace', () => {
  const c = fromRequests(
    [
      request(0, 'asked', 1),
      request(4000, 'answered', 1),
      request(1_000_000, 'asked', 2),
      request(1_010_000, 'answered', 2),
    ],
    0,
    0.5,
  )
  expect(c.at).toEqual([0.25, 0.75, 1.25])
  expect(c.rate).toEqual([2, 0, 2])
  expect(c.p50).toEqual([4, null, 10])
  expect([stepFor(4), stepFor(60), stepFor(1e6)]).toEqual([0.05, 1, 300])
})

test('faults are marked where they begin and where they are over', () => {
  const w = newWorld({ tagma_trace: 1, engine: 'sim', replicas: 4 })
  w.faults = [
    { index: 0, what: 'partition 0,1 | 2,3', firedAt: 2e6, healedAt: 5e6, replica: -1 },
    { index: 1, what: 'kill replica0', firedAt: 3e6, healedAt: -1, replica: 0 },
  ]
  expect(marks(w, 0).map(m => [m.at, m.what, m.healed])).toEqual([
    [2, 'partition 0,1 | 2,3', false],
    [3, 'kill replica0', false],
    [5, 'partition 0,1 | 2,3 is over', true],
  ])
})

test('a replica that does not run has no size', () => {
  const frames = [{ frame: 'reports', at_us: 1e6, reports: [{ journal_bytes: 1 << 20, store_bytes: 2 << 20 }, null] }]
  const s = sizes(frames as unknown as ReportsFrame[], 0, 2)
  expect([s.journal, s.state]).toEqual([
    [[1], [null]],
    [[2], [null]],
  ])
})
