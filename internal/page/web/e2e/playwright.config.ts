import { defineConfig } from '@playwright/test'

// One cluster of processes at a time: several would starve each other on a small machine, and then suspect each other.
export default defineConfig({
  testDir: '.',
  outputDir: '../../../../build/page-e2e',
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1400, height: 900 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox'], // containers run as root, and the page comes from this machine alone
    },
  },
})
