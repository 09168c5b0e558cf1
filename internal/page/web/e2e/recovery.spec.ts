import { executed, expect, test } from './fixtures.ts'

test('a wiped replica comes back: it executes with the others, and votes again from the next view on', async ({
  shown,
}) => {
  await shown.load(60)
  await shown.tab('Replicas')
  await expect.poll(() => executed(shown, 2)).toBeGreaterThan(50)
  const before = await executed(shown, 0)
  await shown.press('Wipe replica 2')
  await expect(shown.card(2)).toContainText(/forgotten|asking|fetching|silent|following|votes again/)
  await expect.poll(() => executed(shown, 2), { timeout: 90_000 }).toBeGreaterThan(before)
  await expect(shown.card(2)).toContainText(/votes again from view \d+ on/, { timeout: 90_000 })

  // It may have signed something in this view that it forgot. With the primary away the next view needs its votes.
  const leads = /primary: replica (\d)/.exec((await shown.page.getByRole('banner').textContent()) ?? '')?.[1]
  await shown.press(`Kill replica ${leads}`)
  await expect(shown.card(2).getByText('backup', { exact: true })).toBeVisible({ timeout: 90_000 })
  const then = await executed(shown, 2)
  await expect.poll(() => executed(shown, 2)).toBeGreaterThan(then)
})
