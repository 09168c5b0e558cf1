import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from '@playwright/test'
import { expect, test } from './fixtures.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  id: string
  impact: string
  nodes: { target: string[]; failureSummary: string }[]
}

// violations is what axe-core finds by the rules of WCAG 2.1 A and AA, and its best practices.
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(on: Document): Promise<{ violations: Violation[] }> } }
    return (await axe.run(document)).violations
  })
  return found.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary}`))
}

const TABS = ['Replicas', 'Faults', 'Requests', 'Charts', 'Evidence', 'Why', 'Tour']

// The check is injected, which the page's own policy forbids to others.
test.use({ bypassCSP: true })

for (const [name, viewport] of [
  ['desktop', { width: 1400, height: 900 }],
  ['phone', { width: 390, height: 844 }],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(`${name}, ${colorScheme}`, () => {
      test.use({ viewport, colorScheme, hasTouch: name === 'phone', isMobile: name === 'phone' })

      test('nothing stands in the way of a reader, and nothing is wider than the page', async ({ shown }) => {
        test.setTimeout(300_000) // the whole page is looked at eight times
        const { page } = shown
        await shown.load(50)
        await shown.press('Put')
        await shown.press('Stop') // what is looked at should not change meanwhile
        for (const tab of TABS) {
          await shown.tab(tab)
          expect(await violations(page), tab).toEqual([])
          const wide = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          )
          expect(wide, `${tab} is wider than the page`).toBeLessThanOrEqual(0)
        }
        await page.getByRole('button', { name: 'Crash', exact: true }).click()
        expect(await violations(page), 'a card').toEqual([])
      })
    })
  }
}
