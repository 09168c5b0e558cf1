import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { executed, expect, type Shown, test } from './fixtures.ts'
import { Recorder } from './recorder.ts'
import { walk } from './viewchange.ts'

const OUT = join(import.meta.dirname, '../../../../docs/page')
mkdirSync(OUT, { recursive: true })

// What a picture may weigh, so that a page of documentation loads at once.
const MOST_STILL = 300_000
const MOST_MOVING = 900_000

function write(name: string, data: Buffer, most: number): void {
  expect(data.length, `${name} has ${data.length} bytes`).toBeLessThan(most)
  writeFileSync(join(OUT, name), data)
}

// equivocate makes replica 0 lie, and returns when there is a new view and proof.
async function equivocate(shown: Shown, press: () => Promise<unknown>): Promise<void> {
  await press()
  await expect(shown.page.getByRole('banner').getByText(/view [1-9]\d*, primary/)).toBeVisible()
  await expect(shown.sentences.getByText(/proof/).first()).toBeVisible()
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })

    test(`stills, ${colorScheme}`, async ({ shown }) => {
      const { page } = shown
      await shown.load(30)
      await shown.tab('Faults')
      await equivocate(shown, () => shown.press('Make replica 0 lie'))
      const stills: [string, () => Promise<unknown>][] = [
        ['replicas', () => shown.tab('Replicas')],
        ['faults', () => shown.tab('Faults')],
        ['charts', () => shown.tab('Charts')],
        [
          'evidence',
          async () => {
            const evidence = await shown.tab('Evidence')
            await evidence.getByRole('button', { name: 'Go to the moment' }).first().click()
          },
        ],
        [
          'tour',
          async () => {
            await shown.tab('Tour')
            await page.getByRole('button', { name: 'Byzantine', exact: true }).click()
            await shown.press('Run it in the simulator')
            await expect(page.locator('.card-outcome')).toBeVisible()
          },
        ],
      ]
      for (const [name, show] of stills) {
        await show()
        await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
        write(`${name}-${colorScheme}.png`, await page.screenshot(), MOST_STILL)
      }
    })

    test(`a view change, ${colorScheme}`, async ({ page }) => {
      await walk(page, async w => {
        await w.on('Shift+J', 'new-view · view 2')
        await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))
        write(`two-views-${colorScheme}.png`, await page.screenshot(), MOST_STILL)
      })
    })

    test.describe('phone', () => {
      test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true })
      test(`a phone, ${colorScheme}`, async ({ shown }) => {
        const { page } = shown
        await shown.load(60)
        await shown.tab('Replicas')
        await expect.poll(() => executed(shown, 0)).toBeGreaterThan(150) // so much fills what the picture shows
        await page.evaluate(() => scrollTo(0, 0))
        write(`phone-${colorScheme}.png`, await page.screenshot(), MOST_STILL)
        await page.getByRole('tablist').evaluate(e => e.scrollIntoView())
        write(`phone-panels-${colorScheme}.png`, await page.screenshot(), MOST_STILL)
      })
    })

    test.describe('recording', () => {
      test.use({ viewport: { width: 1280, height: 800 } })
      test(`a primary that lies, recorded, ${colorScheme}`, async ({ shown, browser }) => {
        const { page } = shown
        await shown.load(40)
        await shown.tab('Replicas')
        await expect(shown.card(0).locator('.window-executed')).not.toHaveText('executed 0')
        const film = new Recorder(page)
        for (let i = 0; i < 3; i++) await film.still(500)
        await film.click(page.getByRole('tab', { name: 'Faults' }))
        const lie = page.getByRole('button', { name: 'Make replica 0 lie' })
        await equivocate(shown, () => film.click(lie, 900))
        await film.still(900)
        await film.click(page.getByRole('tab', { name: 'Replicas' }))
        for (let i = 0; i < 3; i++) await film.still(700)
        await film.click(page.getByRole('tab', { name: 'Evidence' }))
        await film.still(1500)
        await film.click(page.getByRole('button', { name: 'Go to the moment' }).first())
        await film.still(3500)
        write(`recording-${colorScheme}.webp`, await film.file(browser, 880), MOST_MOVING)
      })
    })
  })
}
