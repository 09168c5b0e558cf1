import { expect, test } from 'vitest'
import { reduce } from '../src/model/reduce'
import type { Fault } from '../src/model/types'
import { newWorld } from '../src/model/world'

function after(...told: [Fault['step'], string][]) {
  const w = newWorld({ tagma_trace: 1, engine: 'processes', replicas: 4 })
  told.forEach(([step, what], i) => {
    reduce(w, { at_us: (i + 1) * 1000, replica: -1, event: 'fault', step, what }, i)
  })
  return w
}

test('a replica lies from when it was told to until it is honest again, in the words of scenarios and of pages', () => {
  expect(after(['fired', 'replica0: equivocate,from_seq=20']).replicas[0]?.lies).toBe('equivocate,from_seq=20')
  expect(after(['fired', 'replica 2 turns malicious: silent']).replicas[2]?.lies).toBe('silent')
  const w = after(
    ['fired', 'partition [0 1] | [2 3]'],
    ['fired', 'replica 2 turns malicious: silent'],
    ['healed', 'replica 2 is honest again'],
  )
  expect(w.replicas[2]?.lies).toBe('')
  expect(w.faults.map(f => f.healedAt)).toEqual([-1, 3000])
})

test('when everything heals, no fault lasts and nobody lies', () => {
  const w = after(
    ['fired', 'partition [0 1] | [2 3]'],
    ['fired', 'replica 2 turns malicious: silent'],
    ['healed', 'everything heals: links, processes, liars and clocks'],
  )
  expect(w.faults.map(f => f.healedAt)).toEqual([3000, 3000])
  expect(w.replicas.map(r => r.lies)).toEqual(['', '', '', ''])
})
