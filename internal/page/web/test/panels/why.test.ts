// @vitest-environment happy-dom
import { h, render } from 'preact'
import { expect, test } from 'vitest'
import { type Because, Why } from '../../src/view/panels/why'

const cause = { code: 'own-report', stops: false, text: 'replica 2: too few replicas connected' }

function says(causes: Because['causes'], own?: number): string {
  const place = document.createElement('div')
  render(h(Why, { available: true, because: { cluster: '', causes }, own }), place)
  return place.textContent ?? ''
}

test('the page of one replica points to the command that asks all', () => {
  expect(says([], 2)).toMatch(/^Replica 2 finds nothing wrong with itself.*nothing of the others.*run tagma why/)
  expect(says([cause], 2)).toMatch(/too few replicas connected.*nothing of the others.*run tagma why/)
})

test('where all were asked, nothing else is to be asked', () => {
  expect(says([])).toBe('Nothing is wrong: nothing waits for longer than usual.')
  expect(says([cause])).not.toContain('tagma why')
})
