import type { Arrow, Arrows } from '../model/arrows'
import { GROUPS } from '../model/groups'
import { ends, type Geometry } from './lanes'

// CROWD is how many messages a pixel of the width can bear before they are drawn as counts.
const CROWD = 1.6
// COLUMN is the width of such a count, in pixels.
export const COLUMN = 3

// Fate is what became of a message, as it is drawn. It is told by shape as well as by colour.
export type Fate = 'arrived' | 'dropped' | 'refused' | 'lost' | 'way'

export interface Line {
  arrow: Arrow
  fate: Fate
  x1: number
  y1: number
  x2: number
  y2: number
  dim: boolean
}

// Scene is what is to be drawn of the messages: each one, or counts of them if they are too many.
export interface Scene {
  lines: Line[]
  total: number // messages in view that the filter lets through
  hidden: number // those that it does not
  counts: Counts | null
  lost: number
  refused: number
  lies: number
}

// Counts are messages that begin in the same column, by the lane at which they end and their group.
export interface Counts {
  columns: number
  lanes: number // of replicas, and one for clients
  by: Uint16Array // [column][lane][group]
  bad: Uint16Array // [column]: lost and refused ones
  most: number // in one column and lane
  us: number // length of a column
}

export interface Wish {
  left: number
  span: number
  now: number // the latest time that is known, for what is lost
  hidden: ReadonlySet<number> // groups that are not shown
  followed: ReadonlySet<Arrow> | null // all others are dimmed
}

export function fateOf(arrows: Arrows, a: Arrow, now: number): Fate {
  if (a.refused) return 'refused'
  if (a.dropped >= 0) return 'dropped'
  if (a.got >= 0 || a.answerless) return 'arrived'
  return arrows.lost(a, now) ? 'lost' : 'way'
}

// shows says whether the filter lets a message through. What is wrong is always shown.
export function shows(a: Arrow, wish: Wish): boolean {
  return !wish.hidden.has(a.group) || a.lie !== '' || a.refused || (wish.followed?.has(a) ?? false)
}

// reuse holds the counts between two frames, for they are large.
let reuse: Counts | null = null

export function arrange(arrows: Arrows, g: Geometry, wish: Wish): Scene {
  const { left, span } = wish
  const right = left + span
  const width = Math.max(1, g.width - g.gutter)
  const room = Math.floor(width * CROWD)
  const scale = width / span
  const visible: Arrow[] = []
  let total = 0
  let hidden = 0
  let counts: Counts | null = null
  const { list } = arrows
  for (let i = arrows.touching(left); i < list.length; i++) {
    const a = list[i] as Arrow
    // Beginnings may be a little out of order, where one had to be estimated.
    if (a.start > right) {
      if (a.start > right + 1_000_000) break
      continue
    }
    if (a.end < left) continue
    if (!shows(a, wish)) {
      hidden++
      continue
    }
    total++
    if (counts) {
      add(counts, arrows, a, wish)
      continue
    }
    visible.push(a)
    if (visible.length > room) {
      counts = blank(g, width, span)
      for (const v of visible) add(counts, arrows, v, wish)
    }
  }
  const single = counts ? exceptional(arrows, wish) : visible
  const scene: Scene = { lines: [], total, hidden, counts, lost: 0, refused: 0, lies: 0 }
  for (const a of single) {
    const fate = fateOf(arrows, a, wish.now)
    if (a.lie !== '') scene.lies++
    if (fate === 'lost') scene.lost++
    else if (fate === 'refused') scene.refused++
    const [y1, y2] = ends(g, a)
    const x1 = g.gutter + (a.start - left) * scale
    let x2 = g.gutter + (a.end - left) * scale
    let y = y2
    if (fate === 'lost') {
      // It ends between the lanes, for nobody knows where it was lost.
      y = y1 + (y2 - y1) * 0.62
      x2 = x1 + (x2 - x1) * 0.62
    }
    scene.lines.push({ arrow: a, fate, x1, y1, x2, y2: y, dim: wish.followed !== null && !wish.followed.has(a) })
  }
  return scene
}

// exceptional are the messages that are drawn one by one even among counts.
function exceptional(arrows: Arrows, wish: Wish): Arrow[] {
  const right = wish.left + wish.span
  const lies = arrows.lies.filter(a => a.end >= wish.left && a.start <= right).slice(-300)
  if (!wish.followed) return lies
  const own = [...wish.followed].filter(a => a.end >= wish.left && a.start <= right)
  return [...new Set([...lies, ...own.slice(0, 600)])]
}

function blank(g: Geometry, width: number, span: number): Counts {
  const columns = Math.ceil(width / COLUMN)
  const lanes = g.replicaY.length + 1
  const size = columns * lanes * GROUPS.length
  if (!reuse || reuse.by.length !== size || reuse.bad.length !== columns) {
    reuse = { columns, lanes, by: new Uint16Array(size), bad: new Uint16Array(columns), most: 0, us: 0 }
  } else {
    reuse.by.fill(0)
    reuse.bad.fill(0)
  }
  reuse.columns = columns
  reuse.lanes = lanes
  reuse.most = 0
  reuse.us = (span * COLUMN) / width
  return reuse
}

function add(c: Counts, arrows: Arrows, a: Arrow, wish: Wish): void {
  const column = Math.floor((a.start - wish.left) / c.us)
  if (column < 0 || column >= c.columns) return
  const lane = a.to < 0 ? c.lanes - 1 : Math.min(a.to, c.lanes - 1)
  const at = (column * c.lanes + lane) * GROUPS.length
  c.by[at + a.group] = (c.by[at + a.group] ?? 0) + 1
  let sum = 0
  for (let i = 0; i < GROUPS.length; i++) sum += c.by[at + i] ?? 0
  if (sum > c.most) c.most = sum
  if (a.refused || (a.got < 0 && arrows.lost(a, wish.now))) c.bad[column] = (c.bad[column] ?? 0) + 1
}

// nearest is the line under a point, within a few pixels.
export function nearest(scene: Scene, x: number, y: number, reach = 7): Line | null {
  let best: Line | null = null
  let least = reach * reach
  for (const l of scene.lines) {
    const d = distance(l, x, y)
    if (d < least || (d === least && !l.dim)) {
      least = d
      best = l
    }
  }
  return best
}

// distance is that of a point to a line, squared.
function distance(l: Line, x: number, y: number): number {
  const dx = l.x2 - l.x1
  const dy = l.y2 - l.y1
  const length = dx * dx + dy * dy
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - l.x1) * dx + (y - l.y1) * dy) / length))
  const ex = l.x1 + t * dx - x
  const ey = l.y1 + t * dy - y
  return ex * ex + ey * ey
}
