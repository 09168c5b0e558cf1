import { Component, type VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { plural, short } from '../model/words'
import { type Cell, primaryOf, type Slot, type World } from '../model/world'
import { playing } from '../store/player'
import { following, orderMoment } from '../store/store'
import '../style/order.css'

// ROWS is how many sequence numbers are shown, the newest first.
const ROWS = 30
// BELOW is how often rows that are out of sight, below, are drawn anew while the moment moves by itself, in milliseconds.
const BELOW = 1000

// Order is the table of recent sequence numbers and replicas: how far each slot is at each of them.
export function Order() {
  const { world } = orderMoment.value
  const low = Math.max(0, ...world.replicas.map(r => r.low))
  const seqs = [...world.slots.keys()].filter(s => s <= world.highest).sort((a, b) => b - a)
  const box = useRef<HTMLElement>(null)
  const drawn = useRef<{ rows: VNode[]; at: number }>({ rows: [], at: 0 })
  const inSight = useSight(box)
  const all = !(playing.peek() || following.peek()) || performance.now() - drawn.current.at > BELOW
  if (all) drawn.current.at = performance.now()
  const rows = seqs.slice(0, ROWS).map((seq, place) => {
    const slot = world.slots.get(seq) as Slot
    const before = all || place < inSight ? undefined : drawn.current.rows[place]
    // Rows are told apart by their place: when all move on, their texts change and no element comes or goes.
    return before ?? <Row key={place} slot={slot} world={world} stable={seq <= low} />
  })
  drawn.current.rows = rows
  const [, again] = useState(0)
  useEffect(() => {
    if (all) return
    const quiet = setTimeout(() => again(n => n + 1), BELOW) // nothing else may have it drawn again
    return () => clearTimeout(quiet)
  })
  return (
    <>
      <div class="place-head">
        <h2>The order</h2>
        <Key />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus a keyboard cannot scroll the table */}
      <section class="place-body" aria-label="Slots and replicas" tabIndex={0} ref={box}>
        <table class="order">
          <thead>
            <tr>
              <th scope="col">slot</th>
              {world.replicas.map(r => (
                <th scope="col" key={r.id}>
                  <span class="name">replica {r.id}</span>
                  <span class="marks" title="low watermark: its stable checkpoint">
                    h {r.low}
                  </span>
                  <span class="marks">executed {r.executed}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
        {seqs.length === 0 && <p class="quiet pad">Nothing is ordered yet at this moment.</p>}
      </section>
    </>
  )
}

// useSight is how many rows of the table are in sight, or were scrolled over: those above are still what the reader saw.
function useSight(box: { current: HTMLElement | null }): number {
  const [rows, set] = useState(ROWS)
  useEffect(() => {
    const b = box.current
    const table = b?.querySelector('table')
    if (!b || !table) return
    const look = () => {
      const high = table.tBodies[0]?.rows[0]?.offsetHeight ?? 0
      set(high > 0 ? Math.ceil((b.scrollTop + b.clientHeight) / high) + 1 : ROWS)
    }
    const sizes = new ResizeObserver(look)
    sizes.observe(b)
    sizes.observe(table)
    b.addEventListener('scroll', look, { passive: true })
    return () => {
      sizes.disconnect()
      b.removeEventListener('scroll', look)
    }
  }, [box])
  return rows
}

function Row({ slot, world, stable }: { slot: Slot; world: World; stable: boolean }) {
  const digests = new Set(slot.cells.filter(c => c.digest !== '' && c.view === viewOf(slot)).map(c => c.digest))
  const batch = slot.requests < 0 ? '' : slot.requests === 0 ? 'empty' : `${slot.requests} req`
  return (
    <tr class={stable ? 'stable' : ''}>
      <th scope="row" title={slot.requests > 0 ? plural(slot.requests, 'request') : undefined}>
        <span class="seq">{slot.seq}</span>
        <span class="batch">{batch}</span>
      </th>
      {slot.cells.map((cell, id) => (
        <SlotCell
          key={id}
          cell={cell}
          quorum={world.quorum}
          primary={primaryOf(world, cell.view) === id}
          differs={digests.size > 1 && cell.digest !== ''}
          below={cell.phase === '' && (world.replicas[id]?.low ?? 0) >= slot.seq}
          sign={signature(cell)}
        />
      ))}
    </tr>
  )
}

const viewOf = (slot: Slot): number => Math.max(...slot.cells.map(c => c.view))

// signature changes when a cell must be drawn anew. Worlds change in place, so the cell itself does not tell.
function signature(c: Cell): string {
  return `${c.phase} ${c.view} ${c.digest} ${c.prepares} ${c.commits} ${c.executedAt} ${c.checkpoint}`
}

interface CellProps {
  cell: Cell
  quorum: number
  primary: boolean
  differs: boolean
  below: boolean
  sign: string
}

class SlotCell extends Component<CellProps> {
  override shouldComponentUpdate(next: CellProps): boolean {
    const now = this.props
    return (
      next.sign !== now.sign ||
      next.quorum !== now.quorum ||
      next.primary !== now.primary ||
      next.differs !== now.differs ||
      next.below !== now.below
    )
  }

  override render({ cell, quorum, primary, differs, below }: CellProps) {
    const prepared = cell.phase === 'prepared' || cell.phase === 'committed'
    const committed = cell.phase === 'committed'
    const executed = cell.executedAt >= 0
    if (cell.phase === '' && cell.prepares === 0 && cell.commits === 0 && !executed) {
      return (
        <td class="none" title={below ? 'below its low watermark' : 'nothing known'}>
          {below ? '·' : ''}
        </td>
      )
    }
    const k = prepared ? cell.commits : cell.prepares
    const words = [
      `${primary ? 'primary, ' : ''}${cell.phase || 'not pre-prepared'} in view ${cell.view}`,
      `prepared by ${cell.prepares} of ${quorum}`,
      `committed by ${cell.commits} of ${quorum}`,
      executed ? 'executed' : '',
      cell.checkpoint ? `checkpoint ${cell.checkpoint}` : '',
      differs ? `digest ${short(cell.digest)}, not the same everywhere` : short(cell.digest),
    ].filter(Boolean)
    return (
      <td
        class={`${executed ? 'executed' : ''} ${differs ? 'differs' : ''}`}
        title={words.join(', ')}
        aria-label={words.join(', ')}
      >
        <Bar kind="prepare" k={cell.prepares} q={quorum} closed={prepared} />
        <Bar kind="commit" k={cell.commits} q={quorum} closed={committed} />
        {differs ? '≠ ' : ''}
        {executed ? '✓' : committed ? 'committed' : `${k}/${quorum}`}
        {cell.checkpoint && <b class={cell.checkpoint}>◆</b>}
      </td>
    )
  }
}

// Bar has a part for each vote of a quorum. When the quorum closes it becomes one piece.
function Bar({ kind, k, q, closed }: { kind: string; k: number; q: number; closed: boolean }) {
  return (
    <i class={`bar ${kind} ${closed ? 'closed' : ''}`} style={{ '--k': String(Math.min(k, q)), '--q': String(q) }} />
  )
}

function Key() {
  return (
    <p class="key quiet">
      <i class="bar prepare closed" style={{ '--k': '3', '--q': '3' }} /> prepared
      <i class="bar commit closed" style={{ '--k': '3', '--q': '3' }} /> committed
      <span>✓ executed</span>
      <span class="diamond">◆ checkpoint</span>
    </p>
  )
}
