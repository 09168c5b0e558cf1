// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest'
import type { Report } from '../src/model/frames'
import { frames, paced, reports } from '../src/store/store'

const said = (at_us: number, executed: number) => ({
  frame: 'reports' as const,
  at_us,
  reports: [{ replica: 0, executed } as Report, null],
})

test('whoever follows the end sees the newest reports, also while nothing else happens', async () => {
  expect(reports.value).toBe(null)
  for (const frame of [said(1, 10), said(2, 20)]) {
    frames.add(frame)
    paced()
    await vi.waitFor(() => expect(reports.value).toBe(frame.reports))
  }
})
