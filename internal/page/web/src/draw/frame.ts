import type { Marks } from '../model/marks'
import type { Timeline } from '../model/timeline'
import { NOWHERE } from '../model/types'
import type { Geometry } from './lanes'
import type { Palette } from './palette'
import type { Pen } from './pen'

interface Stretch {
  left: number
  span: number
  zero: number // the time that is called 0 s
}

const xOf = (g: Geometry, s: Stretch, at: number): number => g.gutter + ((at - s.left) / s.span) * (g.width - g.gutter)

// ticks are round times about so many pixels apart.
export function ticks(s: Stretch, width: number, apart = 92): { step: number; at: number[] } {
  const raw = (s.span * apart) / width
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = Math.max(1, [1, 2, 5, 10].map(f => f * power).find(v => v >= raw) ?? 10 * power)
  const at: number[] = []
  for (let t = Math.ceil((s.left - s.zero) / step) * step; t <= s.left - s.zero + s.span; t += step) at.push(t)
  return { step, at }
}

// paintRuler draws the axis of time, with as many digits as the step needs.
export function paintRuler(pen: Pen, p: Palette, g: Geometry, s: Stretch): void {
  const { step, at } = ticks(s, g.width - g.gutter)
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1e6) + 1e-9)))
  pen.font = `11px ${p.font}`
  pen.textAlign = 'left'
  pen.strokeStyle = p.line
  pen.fillStyle = p.ink3
  pen.lineWidth = 1
  pen.beginPath()
  for (const t of at) {
    const x = Math.round(xOf(g, s, s.zero + t)) + 0.5
    if (x < g.gutter) continue
    pen.moveTo(x, 6)
    pen.lineTo(x, g.height)
    pen.fillText(`${(t / 1e6).toFixed(digits)} s`, x + 4, 12)
  }
  pen.stroke()
}

// paintLanes draws a line for each party: whole while it runs, dashed while it is paused, dotted while it is down.
export function paintLanes(pen: Pen, p: Palette, g: Geometry, s: Stretch, marks: Marks): void {
  const right = s.left + s.span
  for (const lane of g.lanes) {
    const y = Math.round(lane.y) + 0.5
    if (lane.replica === NOWHERE) {
      stroke(pen, p.strong, 1, [], g.gutter, g.width, y)
      continue
    }
    let state = marks.processAt(lane.replica, s.left)
    let from = g.gutter
    for (const m of marks.between(s.left, right)) {
      if (m.replica !== lane.replica || (m.kind !== 'up' && m.kind !== 'down' && m.kind !== 'pause')) continue
      const x = Math.max(g.gutter, xOf(g, s, m.at))
      lanePart(pen, p, state, from, x, y)
      state = m.kind
      from = x
    }
    lanePart(pen, p, state, from, g.width, y)
  }
}

function lanePart(pen: Pen, p: Palette, state: 'up' | 'pause' | 'down', from: number, to: number, y: number): void {
  if (state === 'up') stroke(pen, p.strong, 1.5, [], from, to, y)
  else if (state === 'pause') stroke(pen, p.warn, 1.5, [7, 4], from, to, y)
  else stroke(pen, p.bad, 1.5, [1.5, 5], from, to, y)
}

function stroke(
  pen: Pen,
  colour: string,
  width: number,
  dash: readonly number[],
  from: number,
  to: number,
  y: number,
): void {
  pen.strokeStyle = colour
  pen.lineWidth = width
  pen.dash(...dash)
  pen.beginPath()
  pen.moveTo(from, y)
  pen.lineTo(to, y)
  pen.stroke()
  pen.dash()
}

// paintLabels writes the names of the lanes, over whatever reaches into the gutter.
export function paintLabels(
  pen: Pen,
  p: Palette,
  g: Geometry,
  primary: number,
  trouble: (replica: number) => string,
): void {
  pen.fillStyle = p.surface
  pen.fillRect(0, 0, g.gutter - 4, g.height)
  pen.textAlign = 'left'
  for (const lane of g.lanes) {
    const client = lane.replica === NOWHERE // and no primary is NOWHERE, too
    const bad = client ? '' : trouble(lane.replica)
    pen.fillStyle = client ? p.ink2 : p.ink
    pen.font = `${client ? 400 : 600} 12px ${p.font}`
    const under = bad || (!client && lane.replica === primary ? 'primary' : '')
    pen.fillText(lane.label, 10, lane.y - (under ? 6 : 0))
    if (!under) continue
    pen.fillStyle = bad ? p.bad : p.accent
    pen.font = `10.5px ${p.font}`
    pen.fillText(under, 10, lane.y + 8)
  }
}

// paintMarks draws what happens at a lane: view changes, evidence, stable checkpoints, and faults on the axis.
export function paintMarks(pen: Pen, p: Palette, g: Geometry, s: Stretch, marks: Marks): void {
  const last = new Map<string, number>() // where the last mark of a kind and lane is, so that they do not overlap
  const tags: Tag[] = []
  for (const m of marks.between(s.left, s.left + s.span)) {
    const x = xOf(g, s, m.at)
    if (x < g.gutter) continue
    if (m.kind === 'fault' || m.kind === 'healed') {
      const colour = m.kind === 'fault' ? p.warn : p.good
      pen.fillStyle = colour
      pen.beginPath()
      pen.moveTo(x, g.top - 4)
      pen.lineTo(x - 5, g.top + 5)
      pen.lineTo(x + 5, g.top + 5)
      pen.closePath()
      pen.fill()
      upright(pen, colour, x, g.top + 5, g.height)
      continue
    }
    const y = g.replicaY[m.replica]
    if (y === undefined) continue
    const view = p.groups[6] ?? p.ink
    const room = x - (last.get(`${m.kind} ${m.replica}`) ?? -100)
    if (m.kind === 'enter') tags.push({ text: m.label, x, y, colour: p.accent, weight: 3 })
    else if (m.kind === 'suspect') tags.push({ text: '?', x, y, colour: view, weight: 2 })
    else if (m.kind === 'ask') tags.push({ text: `→ ${m.label}`, x, y, colour: view, weight: 1 })
    else if (m.kind === 'evidence' && room > 10) flag(pen, p.lie, x, y)
    else if (m.kind === 'stable' && room > 14) diamond(pen, p.groups[5] ?? p.ink, x, y)
    else if (m.kind === 'down') downed(pen, p.bad, x, y)
    last.set(`${m.kind} ${m.replica}`, x)
  }
  placeTags(pen, p, tags)
}

interface Tag {
  text: string
  x: number
  y: number
  colour: string
  weight: number // where two overlap, the heavier one stays
}

function placeTags(pen: Pen, p: Palette, tags: Tag[]): void {
  pen.font = `600 10px ${p.font}`
  pen.textAlign = 'center'
  const placed: { y: number; from: number; to: number }[] = []
  for (const t of tags.sort((a, b) => b.weight - a.weight || a.x - b.x)) {
    const half = pen.widthOf(t.text) / 2 + 4
    if (placed.some(o => o.y === t.y && t.x - half < o.to + 1 && t.x + half > o.from - 1)) continue
    placed.push({ y: t.y, from: t.x - half, to: t.x + half })
    pen.fillStyle = t.colour
    pen.beginPath()
    pen.roundRect(t.x - half, t.y - 7, 2 * half, 14, 3)
    pen.fill()
    pen.fillStyle = p.surface
    pen.fillText(t.text, t.x, t.y + 0.5)
  }
}

function upright(pen: Pen, colour: string, x: number, from: number, to: number): void {
  const { globalAlpha } = pen
  pen.strokeStyle = colour
  pen.globalAlpha = globalAlpha * 0.35
  pen.lineWidth = 1
  pen.dash(2, 4)
  pen.beginPath()
  pen.moveTo(x, from)
  pen.lineTo(x, to)
  pen.stroke()
  pen.dash()
  pen.globalAlpha = globalAlpha
}

function flag(pen: Pen, colour: string, x: number, y: number): void {
  pen.strokeStyle = colour
  pen.fillStyle = colour
  pen.lineWidth = 1.5
  pen.beginPath()
  pen.moveTo(x, y)
  pen.lineTo(x, y - 17)
  pen.stroke()
  pen.beginPath()
  pen.moveTo(x, y - 17)
  pen.lineTo(x + 10, y - 13)
  pen.lineTo(x, y - 9)
  pen.closePath()
  pen.fill()
}

function diamond(pen: Pen, colour: string, x: number, y: number): void {
  pen.fillStyle = colour
  pen.beginPath()
  pen.moveTo(x, y - 4.5)
  pen.lineTo(x + 4.5, y)
  pen.lineTo(x, y + 4.5)
  pen.lineTo(x - 4.5, y)
  pen.closePath()
  pen.fill()
}

function downed(pen: Pen, colour: string, x: number, y: number): void {
  pen.strokeStyle = colour
  pen.lineWidth = 2
  pen.beginPath()
  pen.moveTo(x - 4, y - 4)
  pen.lineTo(x + 4, y + 4)
  pen.moveTo(x - 4, y + 4)
  pen.lineTo(x + 4, y - 4)
  pen.stroke()
}

// PHASES is how many events may be in view for their phases to be drawn.
const PHASES = 2500

// paintPhases marks on each lane when a slot was prepared (a ring), committed (a dot) and executed (a square).
export function paintPhases(pen: Pen, p: Palette, g: Geometry, s: Stretch, timeline: Timeline): void {
  const from = timeline.momentAt(s.left)
  const to = timeline.momentAt(s.left + s.span)
  if (to - from > PHASES) return
  for (let i = from; i < to; i++) {
    const e = timeline.at(i)
    if (!e || (e.event !== 'phase' && e.event !== 'executed')) continue
    const y = g.replicaY[e.replica]
    if (y === undefined || (e.event === 'phase' && e.phase === 'pre-prepared')) continue
    const x = xOf(g, s, e.at_us)
    pen.lineWidth = 1.5
    pen.beginPath()
    if (e.event === 'executed') {
      pen.fillStyle = p.ink2
      pen.rect(x + 2, y - 2.5, 5, 5)
      pen.fill()
    } else {
      const colour = p.groups[e.phase === 'prepared' ? 2 : 3] ?? p.ink
      pen.circle(x, y, 3.5)
      pen.fillStyle = e.phase === 'prepared' ? p.surface : colour
      pen.strokeStyle = colour
      pen.fill()
      pen.stroke()
    }
  }
}

// paintMoment veils what has not happened yet at the moment that is shown, and draws the moment itself.
export function paintMoment(pen: Pen, p: Palette, g: Geometry, s: Stretch, at: number, veil: boolean): void {
  const x = xOf(g, s, at)
  if (x > g.width) return
  const from = Math.max(g.gutter, x)
  if (veil) {
    pen.globalAlpha = 0.64
    pen.fillStyle = p.surface
    pen.fillRect(from, g.top - 4, g.width - from, g.height)
    pen.globalAlpha = 1
  }
  if (x < g.gutter) return
  pen.strokeStyle = p.accent
  pen.lineWidth = 1.5
  pen.beginPath()
  pen.moveTo(x, 4)
  pen.lineTo(x, g.height)
  pen.stroke()
}
