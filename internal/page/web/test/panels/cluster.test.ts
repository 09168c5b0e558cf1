import { expect, test } from 'vitest'
import type { About, Report } from '../../src/model/frames'
import type { Evidence } from '../../src/model/types'
import { newWorld } from '../../src/model/world'
import { unable } from '../../src/view/panels/acting'
import { cases } from '../../src/view/panels/evidence'
import { clients, place, scale, standing } from '../../src/view/panels/standing'
import { trial, tried } from '../../src/view/panels/tryhere'

const about = { mode: 'live', replicas: 4, quorum: 3, faulty: 1, window: 128 } as About

const world = () => {
  const w = newWorld({ tagma_trace: 1, engine: 'sim', replicas: 4 })
  for (const r of w.replicas) r.process = 'running'
  return w
}

const report = (some: Partial<Report>) =>
  ({ health: 'ok', active: true, view: 0, primary: 0, executed: 0, stable_checkpoint: 0, ...some }) as Report

test('the primary of the view that most replicas have is the primary, and a view change has none', () => {
  const w = world()
  for (const r of w.replicas) r.view = 1
  expect([0, 1, 2].map(id => standing(about, w, id, undefined).role)).toEqual(['backup', 'primary', 'backup'])
  w.replicas[2]!.active = false
  expect(standing(about, w, 2, undefined).role).toBe('changes views')
})

test('a report that is older than the view change does not name the primary', () => {
  const w = world()
  for (const r of w.replicas) r.view = 2
  const old = report({ view: 1, active: false })
  expect([1, 2].map(id => standing(about, w, id, old).role)).toEqual(['backup', 'primary'])
})

test('where the window is not known, there is no high watermark', () => {
  const w = world()
  w.replicas[0]!.low = 10
  const s = standing({ ...about, window: 0 }, w, 0, undefined)
  expect([s.h, s.H]).toEqual([10, 10])
})

test('a replica without a report does not run, whatever its last event was', () => {
  const s = standing(about, world(), 3, null)
  expect([s.role, s.process.word, s.process.tone]).toEqual(['away', 'does not run', 'bad'])
})

test('what a replica says of its health comes first, and then what its events show', () => {
  const w = world()
  expect(standing(about, w, 1, report({ health: 'the disk is full' })).health).toEqual({
    text: 'the disk is full',
    tone: 'warn',
  })
  w.replicas[1]!.suspects = 0
  expect(standing(about, w, 1, report({})).health.text).toBe('suspects the primary of view 0')
})

test('a replica that fetches the state says from whom and how far', () => {
  const transfer = { phase: 'fetching', checkpoint: 640, share: 0.25, remaining_ms: 3000, donors: [0, 1] }
  const recovery = { phase: 'fetching', transfer } as unknown as Report['recovery']
  const s = standing(about, world(), 2, report({ recovery }))
  expect(s.role).toBe('fetching')
  expect(s.fetching).toEqual({
    text: 'fetching the state of s640: 25 %, 3.0 s left, from replicas 0 and 1',
    share: 0.25,
  })
})

test('a replica that comes back says what it waits for', () => {
  const says = (some: object) =>
    standing(about, world(), 2, report({ recovery: some as Report['recovery'] })).health.text
  expect(says({ phase: 'forgotten', answered: [0], needed: 3 })).toContain('1 of 3 have answered')
  expect(says({ phase: 'silent', silent_until: 512 })).toContain('before s512 is stable')
  expect(says({ phase: 'following', from_view: 1 })).toContain('votes again from view 1')
  expect(says({ phase: 'following' })).toBe('executes what the others order')
})

test('all windows are on one scale, and who is far behind does not stretch it', () => {
  const w = world()
  w.replicas.forEach((r, i) => {
    r.low = i === 3 ? 0 : 10_000
    r.executed = r.low + 64
  })
  const all = [0, 1, 2, 3].map(id => standing(about, w, id, undefined))
  const s = scale(all)
  expect(s).toEqual({ from: 10_128 - 256, to: 10_128 })
  expect([place(s, 10_000), place(s, 10_128), place(s, 64)]).toEqual([0.5, 1, 0])
})

test('clients are listed by number, with what they wait for', () => {
  const w = world()
  const asked = (client: string, number: number, askedAt: number, answeredAt: number) =>
    w.requests.set(`${client}/${number}`, {
      key: `${client}/${number}`,
      client,
      number,
      askedAt,
      askedIndex: 0,
      answeredAt,
      seq: -1,
    })
  asked('10', 1, 0, -1)
  asked('2', 1, 100, 600)
  asked('2', 2, 700, 1600)
  expect(clients(w, 2000)).toEqual([
    { name: '2', open: 0, oldest: 0, last: 900, at: 1600 },
    { name: '10', open: 1, oldest: 2000, last: -1, at: -1 },
  ])
})

test('proofs of one kind against one replica are one case, with all who hold one', () => {
  const proof = (holder: number, against: number, proves: string) => ({
    at: 0,
    index: holder,
    holder,
    proof: { against, proves, first: { text: '' }, second: { text: '' } } as unknown as Evidence,
  })
  const all = cases([
    proof(3, 0, 'equivocation'),
    proof(1, 0, 'equivocation'),
    proof(3, 0, 'equivocation'),
    proof(1, 2, 'x'),
  ])
  expect(all.map(c => [c.against, c.holders, c.proofs])).toEqual([
    [2, [1], 1],
    [0, [1, 3], 3],
  ])
})

test('what cannot be done has a reason that says what to do instead', () => {
  expect(unable('live', ['kill'])).toBe(undefined)
  for (const mode of ['trace', 'run', 'node', 'live']) expect(unable(mode, [])).toMatch(/tagma-testnet/)
})

const offered = ['kill', 'start', 'wipe', 'disk-full', 'malicious', 'honest', 'partition', 'link', 'heal', 'load']

test('each card that can be tried names replicas of the cluster, whoever leads', () => {
  expect(tried.length).toBeGreaterThan(20)
  for (const replicas of [4, 7]) {
    for (let primary = 0; primary < replicas; primary++) {
      for (const name of tried) {
        const t = trial(name, { replicas, quorum: 2 * Math.floor((replicas - 1) / 3) + 1, primary }, offered)
        expect(t?.acts.length, name).toBeGreaterThan(0)
        for (const act of [...t!.acts, ...t!.after!.acts]) {
          const who = [act.replica, act.from, act.to, ...((act.replicas as number[]) ?? [])].filter(
            w => w !== undefined,
          )
          for (const id of [...who, ...((act.groups as number[][]) ?? []).flat()] as number[]) {
            expect(id >= 0 && id < replicas, `${name} ${id}`).toBe(true)
          }
        }
      }
    }
  }
})

test('a card is not offered where the server lacks one of its acts', () => {
  expect(trial('crash', { replicas: 4, quorum: 3, primary: 0 }, ['kill'])).toBe(undefined)
  expect(trial('no-such-card', { replicas: 4, quorum: 3, primary: 0 }, offered)).toBe(undefined)
})
