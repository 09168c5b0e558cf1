import { describe, expect, test } from 'vitest'
import { evenLoad, header } from '../bench/trace'
import { Columns } from '../src/draw/columns'
import { paintLabels, ticks } from '../src/draw/frame'
import { type Geometry, layOut } from '../src/draw/lanes'
import type { Palette } from '../src/draw/palette'
import { Pen, replay } from '../src/draw/pen'
import { arrange, nearest, type Wish } from '../src/draw/scene'
import { historyOf, historyOfTrace } from './fixtures'

const everything: Pick<Wish, 'hidden' | 'followed'> = { hidden: new Set(), followed: null }

describe('a picture with room for every message', () => {
  const h = historyOfTrace('equivocate')
  const g = layOut(1200, 500, 4, h.arrows.clients)
  const wish: Wish = { left: 193_000, span: 6000, now: h.timeline.lastAt, ...everything }

  test('has a line for each message that is under way in it', () => {
    const scene = arrange(h.arrows, g, wish)
    const direct = h.arrows.list.filter(a => a.end >= 193_000 && a.start <= 199_000)
    expect(scene.counts).toBeNull()
    expect(scene.lines.map(l => l.arrow.id).sort()).toEqual(direct.map(a => a.id).sort())
    expect(scene.lies).toBe(3)
  })

  test('leaves out groups that are not wanted, but never lies', () => {
    const scene = arrange(h.arrows, g, { ...wish, hidden: new Set([0, 1, 2, 3, 4, 5, 6, 7, 8]) })
    expect(scene.lines.map(l => l.arrow.lie !== '')).toEqual([true, true, true])
    expect(scene.hidden).toBeGreaterThan(20)
  })

  test('dims all but the request that is followed', () => {
    const { arrows } = h.follow('0/7')
    const scene = arrange(h.arrows, g, { ...wish, followed: arrows })
    for (const l of scene.lines) expect(l.dim).toBe(!arrows.has(l.arrow))
  })

  test('finds the line under the pointer', () => {
    const scene = arrange(h.arrows, g, wish)
    const line = scene.lines.find(l => l.arrow.lie !== '')
    expect(line && nearest(scene, line.x2, line.y2)?.arrow.to).toBe(line?.arrow.to)
    expect(nearest(scene, 600, 3)).toBeNull()
  })
})

describe('a picture of more messages than can be told apart', () => {
  const h = historyOf(header, evenLoad(20, 2000))
  const g = layOut(1200, 500, 4, h.arrows.clients)
  const now = h.timeline.lastAt

  test('counts every message once', () => {
    const scene = arrange(h.arrows, g, { left: 2e6, span: 10e6, now, ...everything })
    expect(scene.counts).not.toBeNull()
    const us = scene.counts?.us ?? 1
    const from = Math.floor(2e6 / us) * us
    const to = (Math.floor(12e6 / us) + 1) * us
    expect(scene.total).toBe(h.arrows.list.filter(a => a.start >= from && a.start < to).length)
    const sum = [...(scene.counts?.columns.values() ?? [])].reduce((n, c) => n + c.by.reduce((m, k) => m + k, 0), 0)
    expect(sum).toBe(scene.total)
  })

  test('says the same when the picture moved there as when it begins there', () => {
    const moved = new Columns()
    const filter = { hidden: new Set<number>(), shows: () => true }
    for (const left of [1e6, 1.3e6, 3e6, 2e6, 2.9e6, 9e6]) {
      const got = moved.between(h.arrows, 4, left, left + 5e6, 1000, filter, now)
      const fresh = new Columns().between(h.arrows, 4, left, left + 5e6, 1000, filter, now)
      expect(got, `from ${left}`).toEqual(fresh)
    }
  })

  test('counts what comes while it is shown', () => {
    const events = evenLoad(4, 2000)
    const live = historyOf(header, events.slice(0, events.length / 2))
    const columns = new Columns()
    const filter = { hidden: new Set<number>(), shows: () => true }
    columns.between(live.arrows, 4, 0, 4e6, 1000, filter, live.timeline.lastAt)
    for (const e of events.slice(events.length / 2)) live.add(e)
    const got = columns.between(live.arrows, 4, 0, 4e6, 1000, filter, live.timeline.lastAt)
    expect(got).toEqual(new Columns().between(live.arrows, 4, 0, 4e6, 1000, filter, live.timeline.lastAt))
  })
})

test.each([
  [1000, 1000],
  [36_000, 900],
  [6_500_000, 900],
  [3600e6, 320],
])('the ruler of %i µs on %i pixels has round steps that leave room for their numbers', (span, width) => {
  const { step, at } = ticks({ left: 0, span, zero: 0 }, width)
  expect((step / span) * width).toBeGreaterThanOrEqual(Math.min(92, width))
  expect(['1', '2', '5']).toContain(String(step)[0])
  expect(at.every(t => t % step === 0)).toBe(true)
})

test('lanes lie apart on a phone and on a desk, and many clients share one', () => {
  const h = historyOf(header, evenLoad(1, 2000))
  for (const [width, height, n] of [
    [390, 260, 4],
    [1000, 400, 10],
  ] as const) {
    const g = layOut(width, height, n, h.arrows.clients)
    expect(g.lanes).toHaveLength(n + 1)
    for (let i = 1; i < g.lanes.length; i++) expect((g.lanes[i]?.y ?? 0) - (g.lanes[i - 1]?.y ?? 0)).toBeGreaterThan(20)
  }
})

test('without a primary no lane is called one, clients least of all', () => {
  const texts: string[] = []
  const pen = { fillRect: () => undefined, fillText: (text: string) => texts.push(text) } as unknown as Pen
  const lanes = [
    { label: 'client 0', replica: -1, y: 10 },
    { label: 'replica 0', replica: 0, y: 30 },
  ]
  const g = { width: 100, height: 50, gutter: 20, top: 5, lanes } as Geometry
  paintLabels(pen, {} as Palette, g, -1, () => '')
  expect(texts).toEqual(['client 0', 'replica 0'])
  paintLabels(pen, {} as Palette, g, 0, () => '')
  expect(texts.slice(2)).toEqual(['client 0', 'replica 0', 'primary'])
})

// canvas notes what is done to it.
function canvas(): { pen: CanvasRenderingContext2D; did: string[] } {
  const did: string[] = []
  const pen = new Proxy({} as CanvasRenderingContext2D, {
    get:
      (_, name) =>
      (...of: unknown[]) =>
        did.push(`${String(name)} ${JSON.stringify(of)}`),
    set: (_, name, value) => did.push(`${String(name)} = ${value}`) > 0,
  })
  return { pen, did }
}

test('the painter does what a pen was told, in its order, however much that is', () => {
  const pen = new Pen()
  pen.fillStyle = 'red'
  pen.fillRect(1, 2, 3, 4)
  pen.fillStyle = 'red' // as it is
  pen.globalAlpha = 0.5
  pen.font = '12px serif'
  pen.textAlign = 'center'
  pen.fillText('a text', 5, 6)
  pen.strokeStyle = 'blue'
  pen.lineWidth = 2
  pen.dash(3, 1)
  pen.beginPath()
  pen.moveTo(1, 1)
  pen.lineTo(2, 2)
  pen.closePath()
  pen.rect(1, 2, 3, 4)
  pen.roundRect(1, 2, 3, 4, 5)
  pen.circle(10, 20, 5)
  pen.stroke()
  pen.dash()
  pen.fill()
  for (let i = 0; i < 5000; i++) pen.lineTo(i, -i)
  const first = pen.take(null)
  const { pen: context, did } = canvas()
  replay(context, first)
  expect(did.slice(0, 20)).toEqual([
    'fillStyle = red',
    'fillRect [1,2,3,4]',
    'globalAlpha = 0.5',
    'font = 12px serif',
    'textAlign = center',
    'fillText ["a text",5,6]',
    'strokeStyle = blue',
    'lineWidth = 2',
    'setLineDash [[3,1]]',
    'beginPath []',
    'moveTo [1,1]',
    'lineTo [2,2]',
    'closePath []',
    'rect [1,2,3,4]',
    'roundRect [1,2,3,4,5]',
    'moveTo [15,20]',
    `arc [10,20,5,0,${2 * Math.PI}]`,
    'stroke []',
    'setLineDash [[]]',
    'fill []',
  ])
  expect(did.slice(20)).toEqual(Array.from({ length: 5000 }, (_, i) => `lineTo [${i},${-i}]`))

  // The next picture begins with nothing, in the buffer that the painter gave back.
  pen.fillStyle = 'red'
  const second = pen.take(first.ops)
  expect(second.words).toEqual(['red'])
  pen.beginPath()
  expect(pen.take(null)).toMatchObject({ ops: first.ops, end: 1, words: [] })
})
