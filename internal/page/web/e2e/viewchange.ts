import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, Shown } from './fixtures.ts'
import { Testnet } from './testnet.ts'

const root = join(import.meta.dirname, '../../../..')
const program = process.env.TAGMA_TESTNET ?? join(root, 'build/tagma-testnet')

// MOST is how many stops a walk makes before it gives up.
const MOST = 60

// Walk steps through the view change of docs/page.md by the keys that are written there.
export class Walk extends Shown {
  // on presses a key until the line of the selected event says what is looked for.
  async on(key: string, title: string | RegExp, detail: RegExp = /^/): Promise<void> {
    for (let i = 0; i < MOST; i++) {
      await this.page.keyboard.press(key)
      const what = (await this.title.textContent()) ?? ''
      const there = typeof title === 'string' ? what === title : title.test(what)
      if (there && detail.test((await this.detail.textContent()) ?? '')) return
    }
    throw new Error(`${key} does not lead to ${title}, ${detail}; it ends at ${await this.title.textContent()}`)
  }

  get title() {
    return this.page.locator('.inspector .what strong')
  }

  get detail() {
    return this.page.locator('.inspector .detail')
  }

  // lead is a button that goes to a cause.
  lead(name: string) {
    return this.page.locator('.inspector').getByRole('button', { name, exact: true })
  }
}

// walk makes the trace, opens it, and puts the focus on the diagram, at the beginning.
export async function walk(page: Page, take: (w: Walk) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'tagma-trace-'))
  const trace = join(dir, 'two-views.jsonl')
  const scenario = 'scenarios/schedules/two-views-prepared.toml'
  const made = spawnSync(program, ['run', scenario, '--engine', 'sim', '--trace', trace], { cwd: root })
  expect(made.status, made.stderr.toString()).toBe(0)
  const net = await Testnet.start('replay', trace, '--ui')
  try {
    const w = new Walk(page)
    await w.open(net, 'recorded, complete')
    await page.getByRole('group', { name: /^Diagram of messages/ }).focus()
    await page.keyboard.press('Home')
    await take(w)
    expect(w.complaints).toEqual([])
  } finally {
    await net.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}
