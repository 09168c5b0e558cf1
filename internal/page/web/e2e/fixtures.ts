import { test as base, expect, type Locator, type Page } from '@playwright/test'
import { Testnet } from './testnet.ts'

// Shown is the page as somebody uses it, by roles and names.
export class Shown {
  readonly page: Page
  readonly complaints: string[] = []
  // Whether the test has the server refuse an act.
  refusals = false
  constructor(page: Page) {
    this.page = page
    page.on('console', m => {
      if (m.type() !== 'error' && m.type() !== 'warning') return
      // The browser itself tells of an act that was refused; the page shows why.
      if (!(this.refusals && /status of 4\d\d/.test(m.text()))) this.complaints.push(m.text())
    })
    page.on('pageerror', e => this.complaints.push(e.message))
  }

  async open(net: Testnet, state: 'live' | 'recorded, complete' = 'live'): Promise<void> {
    await this.page.goto(net.address)
    await expect(this.page.getByRole('banner').getByText(state, { exact: true })).toBeVisible()
  }

  // tab shows a panel and returns it.
  async tab(name: string): Promise<Locator> {
    await this.page.getByRole('tab', { name, exact: true }).click()
    return this.page.getByRole('tabpanel')
  }

  card(id: number): Locator {
    return this.page.locator(`[data-replica="${id}"]`)
  }

  // outcome is what came of the last act of the panel that is shown.
  get outcome(): Locator {
    return this.page.getByRole('tabpanel').getByRole('status')
  }

  // after does something that acts on the cluster, and returns what the server said. An error fails the test.
  async after(act: () => Promise<unknown>): Promise<string> {
    const before = Number(await this.outcome.getAttribute('data-over'))
    await act()
    await expect(this.outcome).toHaveAttribute('data-over', String(before + 1))
    await expect(this.outcome, (await this.outcome.textContent()) ?? '').toHaveAttribute('data-kind', 'said')
    return (await this.outcome.textContent()) ?? ''
  }

  // sentences is the list of what happened.
  get sentences(): Locator {
    return this.page.getByRole('region', { name: 'What happened' })
  }

  // pick chooses the replicas on which the controls act.
  async pick(...ids: number[]): Promise<void> {
    const choice = this.page.getByRole('group', { name: 'Act on replicas' })
    for (const box of await choice.getByRole('checkbox').all()) await box.uncheck()
    for (const id of ids) await choice.getByRole('checkbox', { name: `replica ${id}` }).check()
  }

  // press presses a button of the panel that is shown, and waits for what comes of it.
  async press(name: string | RegExp): Promise<string> {
    const button = this.page
      .getByRole('tabpanel')
      .getByRole('button', typeof name === 'string' ? { name, exact: true } : { name })
    return this.after(() => button.click())
  }

  // load has clients send requests, so that something happens.
  async load(rate: number): Promise<void> {
    await this.tab('Requests')
    await this.page.getByLabel('Operations a second, together').fill(String(rate))
    await this.press('Set the load')
  }
}

// executed is how far a replica is, as its card says.
export async function executed(shown: Shown, id: number): Promise<number> {
  const text = (await shown.card(id).locator('.window-executed').textContent()) ?? ''
  return Number(text.replace(/[^0-9]/g, ''))
}

interface Given {
  // The command whose page is tested.
  command: string[]
  net: Testnet
  shown: Shown
}

// test gives each test a cluster of its own and a page that shows it, and fails if the browser's console has complaints.
export const test = base.extend<Given>({
  command: [['start', '--ui', '--dir', 'DIR/net'], { option: true }],
  net: async ({ command }, use) => {
    const net = await Testnet.start(...command)
    await use(net)
    await net.stop()
  },
  shown: async ({ page, net }, use) => {
    const shown = new Shown(page)
    await shown.open(net)
    await use(shown)
    expect(shown.complaints).toEqual([])
  },
})

export { expect }
