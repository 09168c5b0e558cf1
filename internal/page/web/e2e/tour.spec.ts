import type { About } from '../src/model/frames.ts'
import { trial, tried } from '../src/view/panels/tryhere.ts'
import { expect, test } from './fixtures.ts'

test('each card of the tour runs to its check, and its run is in the time machine', async ({ shown, net }) => {
  test.setTimeout(600_000)
  const { page } = shown
  const { cards } = await net.ask<About>('api/about')
  expect(cards.length).toBeGreaterThanOrEqual(40)
  await shown.tab('Tour')
  await page.getByRole('button', { name: cards[0]!.title, exact: true }).first().click()
  for (const [i, card] of cards.entries()) {
    await test.step(card.name, async () => {
      const article = page.locator(`[data-card="${card.name}"]`)
      await expect(article).toContainText(card.title)
      await article
        .getByRole('button', { name: card.live ? 'Run it with real processes' : 'Run it in the simulator' })
        .click()
      const outcome = article.locator('.card-outcome')
      await expect(outcome).toBeVisible({ timeout: 60_000 })
      await expect(outcome, (await outcome.textContent()) ?? '').toHaveAttribute('data-shown', 'true')
      await expect(page.getByRole('banner')).toContainText(`from the file ${card.title}`)
    })
    if (i < cards.length - 1) await page.getByRole('button', { name: 'next card' }).click()
  }
  await page.getByRole('button', { name: 'Back to the cluster' }).click()
  await expect(page.getByRole('banner').getByText('live', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'All cards' }).click()
  await expect(page.getByRole('tabpanel').getByRole('listitem').getByText('it happened', { exact: true })).toHaveCount(
    cards.length,
  )
})

test('a card is tried on the live cluster, and undone', async ({ shown }) => {
  const { page } = shown
  await shown.load(40)
  await shown.tab('Tour')
  await page.getByRole('button', { name: 'Crash', exact: true }).click()
  await shown.press('Do it here')
  await expect(page.getByRole('banner').getByText(/view [1-9]\d*, primary/)).toBeVisible()
  await shown.press('Start replica 0 again')
  await shown.tab('Replicas')
  await expect(shown.card(0).locator('.tag').first()).toHaveText(/primary|backup/)
})

test('what is tried here exists: the cards, and the behaviours with their parameters', async ({ net }) => {
  const about = await net.ask<About>('api/about')
  for (const name of tried) {
    expect(about.cards.map(c => c.name)).toContain(name)
    const t = trial(name, { replicas: about.replicas, quorum: about.quorum, primary: 0 }, about.acts)
    expect(t, `${name} needs an act that is not offered`).toBeDefined()
    for (const act of t!.acts.filter(a => a.act === 'malicious')) {
      const behaviour = about.behaviours.find(b => b.name === act.behaviour)
      expect(behaviour, String(act.behaviour)).toBeDefined()
      const known = behaviour!.parameters.map(p => p.name)
      for (const given of Object.keys(act.parameters as object)) expect(known).toContain(given)
    }
  }
})
