// The picture of the network. A replica is dragged, or sent by its arrow keys, to the other side; a stroke over the picture
// cuts the links that it crosses; a click on a link chooses it.

import { useRef, useState } from 'preact/hooks'
import type { Peer } from '../../model/frames'
import {
  border,
  crossed,
  type Hearing,
  hears,
  height,
  type Point,
  pairs,
  positions,
  type Side,
  sideOf,
  width,
  worse,
} from './sides'

const words: Record<Hearing, string> = {
  well: 'linked',
  late: 'linked, and nothing was heard for a while',
  not: 'not linked',
}

export interface PictureProps {
  able: boolean
  sides: readonly Side[]
  primary: number
  // What each replica says of the others; null: it does not run.
  peers: readonly (readonly Peer[] | null)[]
  link: readonly [number, number]
  move: (id: number, side: Side) => void
  pick: (link: [number, number]) => void
  cut: (links: [number, number][]) => void
}

export function Picture(p: PictureProps) {
  const box = useRef<HTMLDivElement>(null)
  const [drag, setDrag] = useState<{ id: number; at: Point } | null>(null)
  const [stroke, setStroke] = useState<{ from: Point; to: Point } | null>(null)
  const still = positions(p.sides)
  const middle = border(p.sides)
  const at = still.map((point, id) => (drag?.id === id ? drag.at : point))
  const inPicture = (e: PointerEvent): Point => {
    const r = box.current!.getBoundingClientRect()
    return { x: ((e.clientX - r.left) / r.width) * width, y: ((e.clientY - r.top) / r.height) * height }
  }
  const links = pairs(p.sides.length).map(([a, b]) => ({
    a,
    b,
    how: worse(hears(p.peers[a] ?? undefined, b), hears(p.peers[b] ?? undefined, a)),
  }))
  const under = stroke ? crossed(stroke, at) : []
  return (
    <div class="picture" ref={box}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        aria-hidden="true"
        onPointerDown={e => {
          if (!p.able) return
          e.currentTarget.setPointerCapture(e.pointerId)
          setStroke({ from: inPicture(e), to: inPicture(e) })
        }}
        onPointerMove={e => stroke && setStroke({ ...stroke, to: inPicture(e) })}
        onPointerUp={e => {
          if (!stroke) return
          setStroke(null)
          const end = { from: stroke.from, to: inPicture(e) }
          if (Math.hypot(end.to.x - end.from.x, end.to.y - end.from.y) > 8) {
            const over = crossed(end, at)
            if (over.length > 0) p.cut(over)
            return
          }
          const near = nearest(end.to, at)
          if (near) p.pick(near)
        }}
        onPointerCancel={() => setStroke(null)}
      >
        <line class="border" x1={middle} y1={6} x2={middle} y2={height - 6} />
        {middle !== width / 2 && (
          <text class="elsewhere" x={middle > width / 2 ? (middle + width) / 2 : middle / 2} y={height / 2}>
            other side
          </text>
        )}
        {links.map(({ a, b, how }) => (
          <line
            key={`${a}-${b}`}
            class={[
              'link',
              `link-${how ?? 'unknown'}`,
              p.link[0] === a && p.link[1] === b ? 'link-picked' : '',
              p.sides[a] !== p.sides[b] || under.some(u => u[0] === a && u[1] === b) ? 'link-crosses' : '',
            ].join(' ')}
            x1={at[a]!.x}
            y1={at[a]!.y}
            x2={at[b]!.x}
            y2={at[b]!.y}
          >
            <title>{`link of replicas ${a} and ${b}: ${how ? words[how] : 'not known'}`}</title>
          </line>
        ))}
        {stroke && <line class="stroke" x1={stroke.from.x} y1={stroke.from.y} x2={stroke.to.x} y2={stroke.to.y} />}
      </svg>
      {at.map((point, id) => {
        const runs = p.peers[id] !== null
        return (
          <button
            type="button"
            key={id}
            class={`knot${id === p.primary ? ' knot-primary' : ''}${runs ? '' : ' knot-down'}`}
            style={{ left: `${(100 * point.x) / width}%`, top: `${(100 * point.y) / height}%` }}
            disabled={!p.able}
            aria-label={`replica ${id}${id === p.primary ? ', primary' : ''}${runs ? '' : ', does not run'}, on the ${p.sides[id]} side: left and right arrows move it`}
            onKeyDown={e => {
              const side = e.key === 'ArrowLeft' ? 'left' : e.key === 'ArrowRight' ? 'right' : undefined
              if (!side) return
              e.preventDefault()
              p.move(id, side)
            }}
            onPointerDown={e => {
              e.currentTarget.setPointerCapture(e.pointerId)
              setDrag({ id, at: inPicture(e) })
            }}
            onPointerMove={e => drag?.id === id && setDrag({ id, at: inPicture(e) })}
            onPointerUp={e => {
              if (drag?.id !== id) return
              setDrag(null)
              p.move(id, sideOf(inPicture(e).x, p.sides))
            }}
            onPointerCancel={() => setDrag(null)}
          >
            {id}
          </button>
        )
      })}
    </div>
  )
}

// How near a click must be to a link, in the picture's units.
const reach = 10

function nearest(to: Point, at: readonly Point[]): [number, number] | undefined {
  let best: { pair: [number, number]; far: number } | undefined
  for (const pair of pairs(at.length)) {
    const far = away(to, at[pair[0]]!, at[pair[1]]!)
    if (far < (best?.far ?? reach)) best = { pair, far }
  }
  return best?.pair
}

// The distance of a point from a line between two others.
function away(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y]
  const along = Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy || 1)))
  return Math.hypot(p.x - a.x - along * dx, p.y - a.y - along * dy)
}
