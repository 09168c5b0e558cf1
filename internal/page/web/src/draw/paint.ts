import { GROUPS } from '../model/groups'
import type { Geometry } from './lanes'
import type { Palette } from './palette'
import type { Pen } from './pen'
import type { Counts, Line, Scene } from './scene'

// paintLines draws messages. Lines of one colour are one path, which is many times faster than a path for each.
export function paintLines(pen: Pen, p: Palette, scene: Scene, g: Geometry): void {
  const sparse = scene.lines.length < (g.width - g.gutter) * 0.9
  const alike: Line[][] = Array.from({ length: 2 * GROUPS.length }, () => [])
  for (const l of scene.lines) if (l.arrow.lie === '') alike[l.arrow.group + (l.dim ? 0 : GROUPS.length)]?.push(l)
  for (const dim of [true, false]) {
    pen.globalAlpha = dim ? 0.13 : scene.lines.length > 700 ? 0.72 : 0.92
    for (let group = 0; group < GROUPS.length; group++) {
      const own = alike[group + (dim ? 0 : GROUPS.length)] ?? []
      if (own.length === 0) continue
      const colour = p.groups[group] ?? p.ink
      pen.strokeStyle = colour
      pen.fillStyle = colour
      pen.lineWidth = group === GROUPS.length - 1 ? 1 : 1.25
      const open = own.filter(l => l.fate === 'lost' || l.fate === 'way')
      strokes(pen, open.length === 0 ? own : own.filter(l => l.fate !== 'lost' && l.fate !== 'way'))
      if (open.length > 0) {
        pen.dash(3, 3)
        strokes(pen, open)
        pen.dash()
      }
      if (sparse || !dim) heads(pen, p, own, sparse ? 6 : 4)
    }
  }
  pen.globalAlpha = 1
  for (const l of scene.lines) {
    if (l.dim && l.arrow.lie === '') continue
    if (l.fate === 'lost') cross(pen, p.bad, l.x2, l.y2, 3.5)
    else if (l.fate === 'refused') refusal(pen, p, l)
  }
  for (const l of scene.lines) if (l.arrow.lie !== '') lie(pen, p, l)
}

function strokes(pen: Pen, lines: Line[]): void {
  if (lines.length === 0) return
  pen.beginPath()
  for (const l of lines) {
    pen.moveTo(l.x1, l.y1)
    pen.lineTo(l.x2, l.y2)
  }
  pen.stroke()
}

// heads are filled where a message had an effect, and open where it changed nothing.
function heads(pen: Pen, p: Palette, lines: Line[], size: number): void {
  pen.beginPath()
  for (const l of lines) if (l.fate === 'arrived') head(pen, l, size)
  pen.fill()
  const open = lines.filter(l => l.fate === 'dropped')
  if (open.length === 0) return
  const colour = pen.fillStyle
  pen.beginPath()
  for (const l of open) head(pen, l, size)
  pen.fillStyle = p.surface
  pen.fill()
  pen.stroke()
  pen.fillStyle = colour
}

function head(pen: Pen, l: Line, size: number): void {
  const dx = l.x2 - l.x1
  const dy = l.y2 - l.y1
  const length = Math.hypot(dx, dy) || 1
  const ux = dx / length
  const uy = dy / length
  const bx = l.x2 - ux * size
  const by = l.y2 - uy * size
  pen.moveTo(l.x2, l.y2)
  pen.lineTo(bx - uy * size * 0.42, by + ux * size * 0.42)
  pen.lineTo(bx + uy * size * 0.42, by - ux * size * 0.42)
  pen.closePath()
}

function cross(pen: Pen, colour: string, x: number, y: number, r: number): void {
  pen.strokeStyle = colour
  pen.lineWidth = 1.75
  pen.beginPath()
  pen.moveTo(x - r, y - r)
  pen.lineTo(x + r, y + r)
  pen.moveTo(x - r, y + r)
  pen.lineTo(x + r, y - r)
  pen.stroke()
}

// refusal is a barred circle at the receiver.
function refusal(pen: Pen, p: Palette, l: Line): void {
  pen.fillStyle = p.surface
  pen.strokeStyle = p.bad
  pen.lineWidth = 1.75
  pen.beginPath()
  pen.circle(l.x2, l.y2, 4.5)
  pen.fill()
  pen.stroke()
  pen.beginPath()
  pen.moveTo(l.x2 - 3.1, l.y2 + 3.1)
  pen.lineTo(l.x2 + 3.1, l.y2 - 3.1)
  pen.stroke()
}

// lie is a thick line with a diamond in its middle.
function lie(pen: Pen, p: Palette, l: Line): void {
  pen.globalAlpha = l.dim ? 0.35 : 1
  pen.strokeStyle = p.lie
  pen.fillStyle = p.lie
  pen.lineWidth = 2.25
  strokes(pen, [l])
  pen.beginPath()
  head(pen, l, 8)
  pen.fill()
  const x = (l.x1 + l.x2) / 2
  const y = (l.y1 + l.y2) / 2
  pen.beginPath()
  pen.moveTo(x, y - 6)
  pen.lineTo(x + 6, y)
  pen.lineTo(x, y + 6)
  pen.lineTo(x - 6, y)
  pen.closePath()
  pen.fill()
  pen.fillStyle = p.surface
  pen.font = `700 8px ${p.font}`
  pen.textAlign = 'center'
  pen.fillText('!', x, y + 0.5)
  pen.globalAlpha = 1
}

// highlight draws one message again, so that it stands out.
export function highlight(pen: Pen, p: Palette, l: Line, strong: boolean): void {
  pen.strokeStyle = p.surface
  pen.lineWidth = strong ? 6 : 5
  strokes(pen, [l])
  pen.strokeStyle = l.arrow.lie !== '' ? p.lie : (p.groups[l.arrow.group] ?? p.ink)
  pen.fillStyle = pen.strokeStyle
  pen.lineWidth = strong ? 3 : 2.25
  if (l.fate === 'lost' || l.fate === 'way') pen.dash(5, 3)
  strokes(pen, [l])
  pen.dash()
  pen.beginPath()
  head(pen, l, 9)
  pen.fill()
  if (strong) {
    pen.strokeStyle = p.accent
    pen.lineWidth = 1.5
    for (const [x, y] of [
      [l.x1, l.y1],
      [l.x2, l.y2],
    ] as const) {
      pen.beginPath()
      pen.circle(x, y, 5.5)
      pen.stroke()
    }
  }
  if (l.fate === 'lost') cross(pen, p.bad, l.x2, l.y2, 4)
  if (l.fate === 'refused') refusal(pen, p, l)
}

// paintCounts draws how many messages each lane gets in each column, stacked by type. All columns have one scale; the few
// that are higher are cut, and have an open top. Lost and refused ones stand on the ruler, where they are seen however few
// they are.
export function paintCounts(pen: Pen, p: Palette, c: Counts, g: Geometry, left: number, span: number): void {
  const lanes = [...g.replicaY, g.lanes[0]?.y ?? g.top]
  const perUs = (g.width - g.gutter) / span
  const xOf = (k: number) => Math.round(g.gutter + (k * c.us - left) * perUs)
  const full = (lane: number) => g.step * (lane === c.lanes - 1 ? 0.32 : 0.72)
  // Rectangles of one colour are one path, each of them four numbers of a list.
  const groups: number[][] = GROUPS.map(() => [])
  const cut: number[] = []
  const bad: number[] = []
  for (const [k, column] of c.columns) {
    const x = Math.max(g.gutter, xOf(k))
    const w = xOf(k + 1) - x - 0.5
    if (w <= 0) continue
    for (let lane = 0; lane < c.lanes; lane++) {
      const base = (lanes[lane] ?? g.top) - 2
      let sum = 0
      for (let group = 0; group < GROUPS.length; group++) {
        const n = column.by[lane * GROUPS.length + group] ?? 0
        if (n === 0) continue
        const from = Math.min(c.scale, sum)
        sum += n
        const to = Math.min(c.scale, sum)
        if (to > from)
          groups[group]?.push(x, base - (to / c.scale) * full(lane), w, ((to - from) / c.scale) * full(lane))
      }
      if (sum > c.scale) cut.push(x, base - full(lane) - 4, w, 1.5)
    }
    const wrong = column.lost + column.refused
    if (wrong > 0) bad.push(x, g.top, w, Math.min(9, 2 + wrong / 2))
  }
  groups.forEach((boxes, group) => {
    rects(pen, p.groups[group] ?? p.ink, boxes)
  })
  rects(pen, p.ink3, cut)
  rects(pen, p.bad, bad)
}

function rects(pen: Pen, colour: string, boxes: readonly number[]): void {
  if (boxes.length === 0) return
  pen.fillStyle = colour
  pen.beginPath()
  for (let i = 0; i < boxes.length; i += 4)
    pen.rect(boxes[i] as number, boxes[i + 1] as number, boxes[i + 2] as number, boxes[i + 3] as number)
  pen.fill()
}
