import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, Shown, test } from './fixtures.ts'
import { Testnet } from './testnet.ts'

const root = join(import.meta.dirname, '../../../..')
const program = process.env.TAGMA_TESTNET ?? join(root, 'build/tagma-testnet')

test('a scenario that runs shows its faults and its verdict, and offers no acts', async ({ page }) => {
  const net = await Testnet.start('run', 'scenarios/crash.toml', '--ui')
  try {
    const shown = new Shown(page)
    await page.goto(net.address)
    await shown.tab('Faults')
    await expect(page.getByText('only its scenario acts on the cluster')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Heal everything' })).toBeDisabled()
    await shown.tab('Verdict')
    await expect(page.locator('.verdict-line')).toContainText('pass', { timeout: 90_000 })
    await shown.tab('Charts')
    await expect(page.getByRole('list', { name: 'faults marked on the axes' })).toContainText('kill replica0')
    expect(shown.complaints).toEqual([])
  } finally {
    await net.stop()
  }
})

test('a recorded run is shown whole, and nothing can be done to it', async ({ page }) => {
  const dir = mkdtempSync(join(tmpdir(), 'tagma-trace-'))
  const trace = join(dir, 'crash.jsonl')
  const made = spawnSync(program, ['run', '--engine', 'sim', 'scenarios/crash.toml', '--trace', trace], { cwd: root })
  expect(made.status, made.stderr.toString()).toBe(0)
  const net = await Testnet.start('replay', trace, '--ui')
  try {
    const shown = new Shown(page)
    await shown.open(net, 'recorded, complete')
    await shown.tab('Faults')
    await expect(page.getByText('This is a recording')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Part the network' })).toBeDisabled()
    await page.getByRole('button', { name: 'To the end' }).click()
    await shown.tab('Replicas')
    await expect(shown.card(0)).toContainText('crashed')
    await expect(page.getByRole('list', { name: 'replicas' }).getByText('primary', { exact: true })).toHaveCount(1)
    await shown.tab('Charts')
    await expect(page.getByRole('img', { name: /^Throughput/ })).toBeVisible()
    expect(shown.complaints).toEqual([])
  } finally {
    await net.stop()
    rmSync(dir, { recursive: true, force: true })
  }
})

test('without its token the page shows nothing of the cluster', async ({ page, net }) => {
  await page.goto(net.url)
  await expect(page.getByRole('alert')).toBeVisible()
  await expect(page.locator('[data-replica]')).toHaveCount(0)
})
