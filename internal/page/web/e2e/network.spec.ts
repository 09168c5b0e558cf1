import { expect, type Shown, test } from './fixtures.ts'

// rate is how many operations a second the load gets done, as the page shows it.
async function rate(shown: Shown): Promise<number> {
  const figure = shown.page.locator('.figures div', { hasText: 'a second' }).locator('dd')
  return Number(((await figure.textContent()) ?? '').replace(/[^0-9]/g, ''))
}

test('two and two are parted by dragging: nothing is ordered; healed, it goes on', async ({ shown }) => {
  const { page } = shown
  await shown.load(40)
  await expect.poll(() => rate(shown)).toBeGreaterThan(10)

  await shown.tab('Faults')
  for (const id of [0, 1]) {
    const knot = page.getByRole('button', { name: new RegExp(`^replica ${id}[, ].*on the left side`) })
    await knot.scrollIntoViewIfNeeded()
    const picture = (await page.locator('.picture').boundingBox())!
    await knot.hover()
    await page.mouse.down()
    await page.mouse.move(picture.x + 0.6 * picture.width, picture.y + picture.height / 2)
    await page.mouse.move(picture.x + 0.95 * picture.width, picture.y + picture.height / 2)
    await page.mouse.up()
    await expect(page.getByRole('button', { name: new RegExp(`^replica ${id}[, ].*on the right side`) })).toBeVisible()
  }
  await expect(page.getByText('neither side is a quorum of 3')).toBeVisible()
  await shown.press('Part the network')

  await shown.tab('Requests')
  await expect.poll(() => rate(shown)).toBe(0)
  const why = await shown.tab('Why')
  await expect(why.getByText('nothing commits').first()).toBeVisible()

  await shown.tab('Faults')
  await shown.press('Heal everything')
  await shown.tab('Requests')
  await expect.poll(() => rate(shown), { timeout: 60_000 }).toBeGreaterThan(10)
})

test('a stroke over the picture cuts the links that it crosses', async ({ shown }) => {
  const { page } = shown
  await shown.tab('Faults')
  const box = page.locator('.picture')
  await box.scrollIntoViewIfNeeded()
  const picture = (await box.boundingBox())!
  const knots = await Promise.all([0, 3].map(id => page.locator('.knot').nth(id).boundingBox()))
  // From above replica 0 to between replicas 0 and 3: it crosses what leads from replica 0 to the right.
  const x = knots[0]!.x + 1.6 * knots[0]!.width
  await page.mouse.move(x, picture.y + 4)
  await page.mouse.down()
  await page.mouse.move(x, picture.y + picture.height / 2)
  await page.mouse.move(x, picture.y + picture.height - 4)
  await shown.after(() => page.mouse.up())
  await shown.tab('Charts')
  await expect(page.getByRole('list', { name: 'faults marked on the axes' })).toContainText(/link/)
})
