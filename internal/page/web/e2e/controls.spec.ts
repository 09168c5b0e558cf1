import { executed, expect, test } from './fixtures.ts'

// Each control once, with what comes of it. One cluster suffices: each fault is over before the next one begins.
test('each control does what it says', async ({ shown }) => {
  test.setTimeout(600_000)
  const { page } = shown
  await shown.load(60)
  const word = async (id: number, text: string | RegExp) => {
    await shown.tab('Replicas')
    await expect(shown.card(id).locator('.tag').first()).toHaveText(text)
    await shown.tab('Faults')
  }
  await shown.tab('Faults')

  await test.step('kill and start', async () => {
    await shown.pick(3)
    await shown.press('Kill')
    await word(3, /crashed|does not run/)
    await shown.press('Start')
    await word(3, 'backup')
  })
  await test.step('restart', async () => {
    await shown.pick(2)
    await shown.press('Restart')
    await word(2, 'backup')
  })
  await test.step('pause and resume', async () => {
    await shown.pick(3)
    await shown.press('Pause')
    await word(3, 'paused')
    await shown.press('Resume')
    await word(3, 'backup')
  })
  await test.step('wipe', async () => {
    await shown.pick(3)
    await shown.press('Wipe')
    await shown.tab('Replicas')
    await expect(shown.card(3)).toContainText(/votes again from view \d+ on/, { timeout: 90_000 })
    await shown.tab('Faults')
  })
  await test.step('clock', async () => {
    await shown.pick(2)
    await page.getByLabel('jump by, ms').fill('1500')
    await shown.press('Jump')
  })
  await test.step('a full disk', async () => {
    await shown.pick(1)
    await shown.press('Fill disk')
    await word(1, /stopped|crashed|does not run/)
    await shown.press('Heal everything')
    await shown.tab('Replicas')
    await expect(shown.card(1).getByText(/primary|backup/)).toBeVisible({ timeout: 90_000 })
    await shown.tab('Faults')
  })
  await test.step('a bit of the state', async () => {
    await shown.pick(3)
    await shown.press('Flip a bit')
    await shown.press('Heal everything')
  })
  await test.step('a link loses and delays, is cut and whole again', async () => {
    const form = page.getByRole('form', { name: 'one link' })
    await form.getByLabel('From').selectOption('0')
    await form.getByLabel('To').selectOption('3')
    await form.getByLabel('Delay, ms').fill('30')
    await form.getByLabel('Loss, %').fill('20')
    await shown.press('Delay and lose')
    await shown.press('Cut')
    await shown.press('Whole again')
  })
  await test.step('a partition by the selects', async () => {
    await page.getByRole('combobox', { name: 'Replica 3', exact: true }).selectOption('right')
    await expect(page.getByText('{0, 1, 2} is a quorum of 3 and goes on')).toBeVisible()
    await shown.press('Part the network')
    await shown.press('End the partition')
    await expect(page.getByText('Everybody can reach everybody')).toBeVisible()
  })
  await test.step('malicious with a parameter, and honest again', async () => {
    const form = page.getByRole('form', { name: 'make a replica malicious' })
    await form.getByRole('radio', { name: 'replica 3' }).check()
    await form.getByLabel('Behaviour').selectOption('lying-reply')
    await form.getByLabel('how').selectOption('view')
    await shown.press('Make replica 3 lie')
    await shown.tab('Replicas')
    await expect(shown.card(3).getByText('lies: lying-reply')).toBeVisible()
    await shown.tab('Faults')
    await shown.press('Honest again')
    await shown.tab('Replicas')
    await expect(shown.card(3).getByText('lies: lying-reply')).toHaveCount(0)
  })
  await test.step('the load stops', async () => {
    await shown.tab('Requests')
    await shown.press('Stop')
    await shown.tab('Replicas')
    let last = -1
    await expect
      .poll(
        async () => {
          const now = await executed(shown, 0)
          const same = now === last
          last = now
          return same
        },
        { intervals: [1500] },
      )
      .toBe(true)
  })
  await test.step('what cannot be done is said in one sentence', async () => {
    shown.refusals = true
    await shown.tab('Faults')
    const form = page.getByRole('form', { name: 'make a replica malicious' })
    await form.getByLabel('Behaviour').selectOption('slow')
    await form.getByLabel('delay').fill('soon')
    await page.getByRole('button', { name: 'Make replica 3 lie' }).click()
    const outcome = page.locator('.outcome[data-kind="error"]')
    await expect(outcome).toContainText('delay')
    expect(((await outcome.textContent()) ?? '').length).toBeLessThan(300)
  })
})
