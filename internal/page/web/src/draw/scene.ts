import type { Arrow, Arrows } from '../model/arrows'
import { type Column, Columns, scaleOf } from './columns'
import { ends, type Geometry } from './lanes'

// CROWD is how many messages a pixel of the width can bear before they are drawn as counts.
const CROWD = 1.6

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

// Counts are columns of counts, with the scale of their heights.
export interface Counts {
  columns: Map<number, Column>
  us: number // length of a column
  lanes: number
  most: number // in one column and lane
  scale: number // what is drawn at full height: few are more, and they are cut
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

const columns = new Columns()

export function arrange(arrows: Arrows, g: Geometry, wish: Wish): Scene {
  const { left, span } = wish
  const right = left + span
  const width = Math.max(1, g.width - g.gutter)
  const room = Math.floor(width * CROWD)
  const visible: Arrow[] = []
  const scene: Scene = { lines: [], total: 0, hidden: 0, counts: null, lost: 0, refused: 0, lies: 0 }
  const { list } = arrows
  for (let i = arrows.touching(left); i < list.length && visible.length <= room; i++) {
    const a = list[i] as Arrow
    // Beginnings may be a little out of order, where one had to be estimated.
    if (a.start > right) {
      if (a.start > right + 1_000_000) break
      continue
    }
    if (a.end < left) continue
    if (shows(a, wish)) visible.push(a)
    else scene.hidden++
  }
  scene.total = visible.length
  if (visible.length > room) scene.counts = counts(arrows, g, wish, scene)
  place(scene, scene.counts ? exceptional(arrows, wish) : visible, arrows, g, wish)
  return scene
}

// counts takes the place of single messages, and says how many there are.
function counts(arrows: Arrows, g: Geometry, wish: Wish, scene: Scene): Counts {
  const filter = { hidden: wish.hidden, shows: (a: Arrow) => shows(a, wish) }
  const width = Math.max(1, g.width - g.gutter)
  const right = wish.left + wish.span
  const found = columns.between(arrows, g.replicaY.length, wish.left, right, width, filter, wish.now)
  scene.total = 0
  scene.hidden = 0
  for (const c of found.values()) {
    scene.total += c.total
    scene.hidden += c.hidden
    scene.lost += c.lost
    scene.refused += c.refused
  }
  return { columns: found, us: columns.us, lanes: columns.lanes, ...scaleOf(found.values()) }
}

function place(scene: Scene, single: Arrow[], arrows: Arrows, g: Geometry, wish: Wish): void {
  const { left, span } = wish
  const scale = Math.max(1, g.width - g.gutter) / span
  for (const a of single) {
    const fate = fateOf(arrows, a, wish.now)
    if (a.lie !== '') scene.lies++
    if (!scene.counts) {
      if (fate === 'lost') scene.lost++
      else if (fate === 'refused') scene.refused++
    }
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
}

// exceptional are the messages that are drawn one by one even among counts.
function exceptional(arrows: Arrows, wish: Wish): Arrow[] {
  const right = wish.left + wish.span
  const lies = arrows.lies.filter(a => a.end >= wish.left && a.start <= right).slice(-300)
  if (!wish.followed) return lies
  const own = [...wish.followed].filter(a => a.end >= wish.left && a.start <= right)
  return [...new Set([...lies, ...own.slice(0, 600)])]
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
