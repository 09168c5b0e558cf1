import { expect, test } from './fixtures.ts'

test('with the keyboard alone: a replica is parted from the others, and all is healed', async ({ shown }) => {
  const { page } = shown
  // reach presses Tab until the named thing has the focus.
  const reach = async (name: RegExp) => {
    for (let i = 0; i < 120; i++) {
      const at = await page.evaluate(() => {
        const e = document.activeElement as HTMLElement | null
        return e ? (e.getAttribute('aria-label') ?? e.textContent ?? '') : ''
      })
      if (name.test(at)) return
      await page.keyboard.press('Tab')
    }
    throw new Error(`${name} cannot be reached with Tab`)
  }
  await reach(/^Replicas$/)
  await page.keyboard.press('ArrowRight')
  await expect(page.getByRole('tab', { name: 'Faults' })).toHaveAttribute('aria-selected', 'true')
  await reach(/^replica 3, on the left side/)
  await page.keyboard.press('ArrowRight')
  await expect(page.getByText('{0, 1, 2} is a quorum of 3 and goes on')).toBeVisible()
  await reach(/^Part the network$/)
  await shown.after(() => page.keyboard.press('Enter'))
  await page.keyboard.press('Home')
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press('Shift+Tab')
    const at = await page.evaluate(() => document.activeElement?.textContent ?? '')
    if (at === 'Heal everything') break
  }
  await shown.after(() => page.keyboard.press('Enter'))
  await expect(page.getByText('Everybody can reach everybody')).toBeVisible()
})
