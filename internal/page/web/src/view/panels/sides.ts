import type { Peer } from '../../model/frames'

// The picture of the network: where replicas stand on its two sides, and what is known of the links between them.

// On which side of the cut each replica stands.
export type Side = 'left' | 'right'

export interface Point {
  x: number
  y: number
}

// The size of the picture in its own units.
export const width = 360
export const height = 220

// The distance of replicas from the border and from the middle.
const margin = 34

// Where the border between the sides runs: in the middle, and near the edge while nobody stands behind it.
export function border(sides: readonly Side[]): number {
  if (!sides.includes('right')) return 0.8 * width
  return sides.includes('left') ? width / 2 : 0.2 * width
}

// Where replicas stand: all of one side on an ellipse in the middle of the room that this side has, clockwise.
export function positions(sides: readonly Side[]): Point[] {
  const out: Point[] = new Array<Point>(sides.length)
  const middle = border(sides)
  for (const side of ['left', 'right'] as const) {
    const who = sides.map((s, i) => (s === side ? i : -1)).filter(i => i >= 0)
    const [from, to] = side === 'left' ? [0, middle] : [middle, width]
    const rx = who.length === 1 ? 0 : (to - from) / 2 - margin
    const ry = who.length === 1 ? 0 : height / 2 - margin
    // Two stand above each other, and four in the corners of a square, so that all links between them can be seen.
    const first = who.length === 4 ? (-3 * Math.PI) / 4 : -Math.PI / 2
    who.forEach((id, k) => {
      const angle = first + (2 * Math.PI * k) / who.length
      out[id] = { x: (from + to) / 2 + rx * Math.cos(angle), y: height / 2 + ry * Math.sin(angle) }
    })
  }
  return out
}

// The side on which a point lies.
export function sideOf(x: number, sides: readonly Side[]): Side {
  return x < border(sides) ? 'left' : 'right'
}

// The groups of a partition, those on the left first; one group if all stand on one side.
export function groups(sides: readonly Side[]): number[][] {
  const of = (side: Side) => sides.map((s, i) => (s === side ? i : -1)).filter(i => i >= 0)
  return [of('left'), of('right')].filter(g => g.length > 0)
}

// What a partition does to the service, in a sentence.
export function meaning(parts: readonly (readonly number[])[], quorum: number): string {
  if (parts.length < 2) return 'Everybody can reach everybody. Move a replica to the other side to part the network.'
  const big = parts.find(p => p.length >= quorum)
  const words = parts.map(p => `{${p.join(', ')}}`).join(' and ')
  if (!big) return `${words}: neither side is a quorum of ${quorum}, so nothing will be ordered.`
  return `${words}: {${big.join(', ')}} is a quorum of ${quorum} and goes on; the rest cannot follow.`
}

// How one replica hears another: well, late, or not at all.
export type Hearing = 'well' | 'late' | 'not'

// Replicas say how they are several times a second, so what is older than this says that messages are lost.
const lateAfter = 2500

// How well a replica hears another one, by its own report. Undefined: it reports nothing.
export function hears(peers: readonly Peer[] | undefined, of: number): Hearing | undefined {
  const peer = peers?.find(p => p.replica === of)
  if (!peer) return undefined
  if (!peer.connected) return 'not'
  return peer.heard_ms < 0 || peer.heard_ms > lateAfter ? 'late' : 'well'
}

// How well a link works: as well as its worse direction.
export function worse(a: Hearing | undefined, b: Hearing | undefined): Hearing | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  const rank: Hearing[] = ['not', 'late', 'well']
  return rank[Math.min(rank.indexOf(a), rank.indexOf(b))]
}

// Every pair, the lower number first.
export function pairs(n: number): [number, number][] {
  const out: [number, number][] = []
  for (let a = 0; a < n; a++) for (let b = a + 1; b < n; b++) out.push([a, b])
  return out
}

// The links that a stroke over the picture crosses.
export function crossed(stroke: { from: Point; to: Point }, at: readonly Point[]): [number, number][] {
  const side = (a: Point, b: Point, p: Point) => Math.sign((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x))
  return pairs(at.length).filter(([i, j]) => {
    const [a, b] = [at[i]!, at[j]!]
    return (
      side(a, b, stroke.from) * side(a, b, stroke.to) < 0 &&
      side(stroke.from, stroke.to, a) * side(stroke.from, stroke.to, b) < 0
    )
  })
}
