import { expect, test } from './fixtures.ts'

test('a key is written and read: f+1 and more vouch for the answer, and its way is followed', async ({
  shown,
  net,
}) => {
  const { page } = shown
  const { faulty } = await net.ask<{ faulty: number }>('api/about')
  await shown.tab('Requests')
  await page.getByLabel('Key', { exact: true }).fill('colour')
  await page.getByLabel('Value', { exact: true }).fill('blue')
  await shown.press('Put')
  await shown.press('Get')
  const answers = page.getByRole('list', { name: 'answers, the newest first' }).getByRole('listitem')
  await expect(answers).toHaveCount(2)
  await expect(answers.first()).toContainText('blue')
  const vouched =
    (
      (await answers
        .first()
        .getByText(/^vouched:/)
        .textContent()) ?? ''
    ).match(/\d+/g) ?? []
  expect(vouched.length).toBeGreaterThan(faulty)

  await answers
    .first()
    .getByRole('button', { name: /^follow get colour/ })
    .click()
  await expect(answers.first().getByRole('button', { name: /^follow get colour/ })).toHaveAttribute(
    'aria-pressed',
    'true',
  )

  // The list beside the diagram tells the same arrows in words: from the client through the phases to the replies.
  await page.getByRole('button', { name: 'List', exact: true }).click()
  const way = page.getByRole('listbox', { name: 'Events in view' }).getByRole('option')
  await expect(way.filter({ hasText: 'pre-prepare' }).first()).toBeVisible()
  await expect(way.filter({ hasText: 'commit' }).first()).toBeVisible()
  const replies = way.filter({ hasText: /reply/ })
  // Each replica's events come in their own time, and f+1 answers settle a request before the others' are told.
  const repliers = async () =>
    new Set((await replies.allTextContents()).flatMap(t => /[Rr]eplica (\d)/.exec(t)?.[1] ?? [])).size
  await expect.poll(repliers).toBeGreaterThan(faulty)

  await shown.press('Delete')
  await shown.press('Get')
  await expect(answers.first()).toContainText('no such key')
})
