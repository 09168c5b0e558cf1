// @vitest-environment happy-dom
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { open } from '../src/store/feed'
import { momentLines } from '../src/store/file'
import { begin, end, jumpTo, lookAt, step, stepCause, stepSentence } from '../src/store/player'
import { connection, following, history, moment, opened, selected, timeline } from '../src/store/store'

const text = readFileSync(join(import.meta.dirname, 'traces/equivocate.jsonl'), 'utf8')

async function load(lines: string): Promise<void> {
  const before = opened.value
  open('a file', lines)
  await vi.waitUntil(() => opened.value > before, { timeout: 10_000 })
}

beforeAll(() => load(text))

test('a file is read to its end and shown from its first request on', () => {
  expect(connection.value).toEqual({ state: 'file', name: 'a file' })
  expect(timeline.end).toBe(text.trim().split('\n').length - 1)
  expect(timeline.at(moment.value.index - 1)?.event).toBe('request')
  expect(following.value).toBe(false)
})

test('steps go to the next event and back, and pass over writes to disk', () => {
  begin()
  const seen: number[] = []
  for (let i = 0; i < 30; i++) {
    step(1)
    seen.push(moment.value.index)
    expect(selected.value).toBe(moment.value.index - 1)
    expect(timeline.at(selected.value)?.event).not.toBe('synced')
  }
  for (const index of seen.slice(0, -1).reverse()) {
    step(-1)
    expect(moment.value.index).toBe(index)
  }
})

test('steps between sentences stop at those that are worth it', () => {
  begin()
  const told: string[] = []
  for (let i = 0; i < 5; i++) {
    stepSentence(1)
    told.push(history.sentences.list.find(s => s.index === selected.value)?.text ?? '')
  }
  expect(told[0]).toMatch(/^Replica 0 contradicts itself/)
  expect(told[1]).toMatch(/^Replica 1 holds proof/)
  const there = moment.value.index
  stepSentence(1)
  stepSentence(-1)
  expect(moment.value.index).toBe(there)
})

test('causes lead back in time until the trace shows none', () => {
  const entered = history.sentences.list.find(s => s.text.startsWith('Replica 0 enters view 1'))
  lookAt(entered?.index ?? -1)
  let steps = 0
  for (let before = selected.value; stepCause(); before = selected.value) {
    expect(selected.value).toBeLessThan(before)
    steps++
  }
  expect(steps).toBeGreaterThan(3)
})

test('a further cause is chosen by its place in the list', () => {
  const asked = history.sentences.list.find(s => s.text.startsWith('2 of 4 suspect replica 0'))?.index ?? -1
  const causes = history.causes(asked)
  expect(causes.length).toBeGreaterThan(1)
  lookAt(asked)
  expect(stepCause(1)).toBe(true)
  expect(selected.value).toBe(causes[1]?.index)
  lookAt(asked)
  expect(stepCause(causes.length)).toBe(false)
  expect(selected.value).toBe(asked)
})

test('the ends are the ends', () => {
  end()
  expect(moment.value.index).toBe(timeline.end)
  step(1)
  expect(moment.value.index).toBe(timeline.end)
  begin()
  step(-1)
  expect(moment.value.index).toBe(timeline.first)
})

test('a moment that is saved is opened again at the same moment', async () => {
  jumpTo(198_000)
  const there = moment.value.index
  const lines = momentLines()
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ tagma_trace: 1, replicas: 4, moment_us: moment.value.at })
  await load(lines.join('\n'))
  expect(moment.value.index).toBe(there)
  expect(momentLines()).toEqual(lines)
})
