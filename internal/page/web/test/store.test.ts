// @vitest-environment happy-dom
import { expect, test, vi } from 'vitest'
import type { Report } from '../src/model/frames'
import { followEnd, following, frames, history, paced, reports, version } from '../src/store/store'
import { followRequest } from '../src/view/follow'
import { readTrace } from './fixtures'

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

test('a request that is followed before its first event comes is shown as soon as it comes', async () => {
  const { header, events } = readTrace('equivocate')
  const asked = events.findIndex(e => e.event === 'request' && e.step === 'asked')
  const request = events[asked] as { client: number; number: number }
  history.begin(header)
  followEnd()
  followRequest(`${request.client}/${request.number}`)
  expect(following.value).toBe(true)
  for (const e of events.slice(0, asked + 1)) history.add(e)
  version.value++
  expect(following.value).toBe(false)
  followEnd() // once it was shown, the reader decides
  await Promise.resolve()
  version.value++
  expect(following.value).toBe(true)
})
