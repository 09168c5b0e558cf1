import { describe, expect, test } from 'vitest'
import { basisOf, choicesOf, listIn, signerOf } from '../src/model/certificates'
import { contentOf } from '../src/model/content'
import type { History } from '../src/model/history'
import type { Message, TraceEvent } from '../src/model/types'
import { told } from '../src/model/words'
import { historyOfTrace } from './fixtures'

const find = (h: History, fits: (e: TraceEvent) => boolean): number => {
  for (let i = h.timeline.first; i < h.timeline.end; i++) {
    const e = h.timeline.at(i)
    if (e && fits(e)) return i
  }
  throw new Error('no such event in the trace')
}

describe('a view change between two certificates of one slot', () => {
  const h = historyOfTrace('two-views-prepared')
  const newView = find(h, e => e.event === 'sent' && e.message.type === 'new-view' && e.message.view === 2)

  test('the choice of the new-view is told with both certificates: the highest view decides', () => {
    const said = h.sentences.list.filter(s => s.index === newView)
    expect(said.map(s => s.text)).toEqual([
      'The new-view of view 2 rests on the view-changes of replicas 1, 2 and 3 and carries over slot 1 (e61b4479)',
      'Slot 1 prepared as e61b4479 in view 1, as replica 3 shows, and as d67d39c8 in view 0, as replica 2 shows: the highest view decides (V3)',
    ])
  })

  test('a view-change with a certificate is a stop of those who step by what is told, one without is not', () => {
    const tones = h.sentences.list
      .filter(s => /^The view-change of replica \d to view 2/.test(s.text))
      .map(s => `${s.replica} ${s.tone}`)
    expect(tones.sort()).toEqual(['0 quiet', '1 quiet', '2 plain', '3 plain'])
  })

  test('a message of the view change begins with its P, or its V and O, so that a narrow page does not cut them off', () => {
    const first = (i: number) => contentOf(h, i, h.timeline.lastAt)?.lines[0]
    expect(first(newView)).toBe('new-view v2, V = r1 r2 r3, O = [s1 e61b4479]')
    expect(first(h.causes(newView)[1]?.index ?? -1)).toMatch(/^view-change of r2 .* P = \[v0 s1 d67d39c8\]$/)
  })

  test('causes lead from the new-view to its view-changes, the deciding one first, and on to each certificate', () => {
    const basis = h.causes(newView)
    expect(basis.map(c => c.why)).toEqual([
      'replica 3 shows slot 1 in view 1 (e61b4479)',
      'replica 2 shows slot 1 in view 0 (d67d39c8)',
      'replica 1 shows nothing prepared',
    ])
    const sent = h.causes(basis[0]?.index ?? -1)[0]?.index ?? -1
    expect(h.causes(sent).map(c => c.why)).toEqual([
      'replica 3 asks for view 2: enough replicas suspect the primary',
      'slot 1 is prepared at replica 3, 3 of 3 votes (view 1, e61b4479)',
    ])
    expect(h.causes(basis[1]?.index ?? -1)[1]?.why).toBe(
      'slot 1 is prepared at replica 2, 3 of 3 votes (view 0, d67d39c8)',
    )
  })

  test.each([
    [0, 2, [0, 2, 3]],
    [1, 3, [0, 1, 3]],
  ])('the certificate of view %i at replica %i says whose votes it has, and leads to them', (view, at, voters) => {
    const i = find(
      h,
      e => e.event === 'phase' && e.phase === 'prepared' && e.view === view && e.seq === 1 && e.replica === at,
    )
    expect(h.voters(i)).toEqual(voters)
    expect(contentOf(h, i, h.timeline.lastAt)?.lines.join()).toMatch(/^It has the votes of replicas /)
    const votes = h.causes(i).map(c => h.timeline.at(c.index) as TraceEvent)
    expect(votes, votes.map(told).join('\n')).toHaveLength(3)
    for (const v of votes) expect(v).toMatchObject({ replica: at, message: { view, seq: 1 } })
  })
})

describe('the lists in a message', () => {
  const newView = (text: string): Message => ({ type: 'new-view', view: 5, text })

  test('are read as they are written', () => {
    const text = 'view-change of r12 to v5, suspected by r2 r3, h = 7, P = [v0 s8 aa, v4 s9 bb]'
    expect(signerOf({ type: 'view-change', text })).toBe(12)
    expect(listIn(text, 'P')).toEqual([
      { view: 0, seq: 8, digest: 'aa' },
      { view: 4, seq: 9, digest: 'bb' },
    ])
    expect(listIn('view-change of r3 to v1, suspected by r2 r3, h = 0, P = []', 'P')).toEqual([])
    expect(basisOf(newView('new-view v5, V = r0 r10 r3, O = [s8 aa]'))).toEqual([0, 10, 3])
  })

  test('no choice is told where all show the same digest, or where O has one that nobody showed', () => {
    const shown = (digests: string[]) => (by: number) => [{ view: by, seq: 8, digest: digests[by] ?? '' }]
    const m = newView('new-view v5, V = r0 r1 r2, O = [s8 aa]')
    expect(choicesOf(m, shown(['aa', 'aa', 'aa']))).toEqual([])
    expect(choicesOf(m, shown(['aa', 'aa', 'bb']))).toEqual([])
    expect(choicesOf(m, shown(['bb', 'aa', 'aa'])).map(c => c.shown.map(s => s.by[0]))).toEqual([[2, 1, 0]])
  })
})
