import { expect, test } from './fixtures.ts'

test('an equivocating primary: the view changes, the reason is told, and both statements stand side by side', async ({
  shown,
}) => {
  const { page } = shown
  await shown.load(40)
  await shown.tab('Faults')
  const form = page.getByRole('form', { name: 'make a replica malicious' })
  await form.getByRole('radio', { name: 'replica 0' }).check()
  await form.getByLabel('Behaviour').selectOption('equivocate')
  await form.getByLabel('from seq').fill('1')
  await shown.press('Make replica 0 lie')

  await expect(page.getByRole('banner').getByText(/view [1-9]\d*, primary: replica [123]/)).toBeVisible()
  await expect(shown.sentences.getByText(/suspect/).first()).toBeVisible()

  const evidence = await shown.tab('Evidence')
  const proof = evidence.getByRole('article', { name: /proof against replica 0/ }).first()
  await expect(proof.getByRole('columnheader', { name: 'it signed' })).toBeVisible()
  await expect(proof.getByRole('row', { name: /digest \(differs\)/ })).toBeVisible()
  const digests = await proof
    .getByRole('row', { name: /digest/ })
    .getByRole('cell')
    .allTextContents()
  expect(digests[0]).toMatch(/^[0-9a-f]{64}$/)
  expect(digests[1]).toMatch(/^[0-9a-f]{64}$/)
  expect(digests[0]).not.toBe(digests[1])

  await shown.tab('Replicas')
  await expect(shown.card(0).getByText(/^proven by/)).toBeVisible()
  await expect(shown.card(0).getByText('lies: equivocate')).toBeVisible()
  await expect(page.getByRole('list', { name: 'replicas' }).getByText('primary', { exact: true })).toHaveCount(1)
})
