import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { camera, fitTo, pan, pinned, spanShown, zoom } from '../draw/camera'
import { Drawing, hiddenGroups } from '../draw/drawing'
import { nearest } from '../draw/scene'
import { GROUPS } from '../model/groups'
import { duration, plural } from '../model/words'
import { begin, end, lookAt, step, stepCause, stepSentence, toggle } from '../store/player'
import { followed, selected, timeline } from '../store/store'
import { Follow } from './follow'
import { Icon } from './icons'
import { Inspector, Tip } from './inspector'
import { Listing } from './listing'
import '../style/diagram.css'

const asList = signal(false)

// Diagram is the space–time diagram: a line for each client and replica, time from left to right, an arrow for each message.
export function Diagram() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const drawing = useRef<Drawing | null>(null)
  const list = asList.value
  // biome-ignore lint/correctness/useExhaustiveDependencies: the canvas comes and goes with the list
  useEffect(() => {
    if (!canvas.current) return
    const mine = new Drawing(canvas.current)
    drawing.current = mine
    tips.value = mine
    const release = listen(canvas.current, mine)
    return () => {
      release()
      mine.close()
      drawing.current = null
      tips.value = null
    }
  }, [list])
  return (
    <>
      <div class="place-head">
        <h2>Messages</h2>
        <Legend />
        <span class="grow" />
        <Follow />
        <Zoom />
        <button
          type="button"
          onClick={() => fitTo(timeline.timeAt(timeline.first + 1), timeline.lastAt)}
          title="Show everything that is kept"
        >
          All
        </button>
        <button
          type="button"
          aria-pressed={list}
          onClick={() => {
            asList.value = !list
          }}
        >
          List
        </button>
      </div>
      {list ? (
        <Listing />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys of the diagram need the focus; what they do is announced
        <div class="canvas" tabIndex={0} role="group" aria-label={HELP} onKeyDown={key}>
          <canvas ref={canvas} aria-hidden="true" />
          <Tip drawing={tips} />
          <Caption />
        </div>
      )}
      <Inspector />
    </>
  )
}

function Zoom() {
  return (
    <div class="group" role="group" aria-label="Zoom">
      <button type="button" class="icon" aria-label="Zoom out" onClick={() => zoom(1.6)}>
        <Icon of="minus" />
      </button>
      <span class="span" title="How much time the width shows">
        {duration(spanShown.value)}
      </span>
      <button type="button" class="icon" aria-label="Zoom in" onClick={() => zoom(1 / 1.6)}>
        <Icon of="plus" />
      </button>
    </div>
  )
}

const tips = signal<Drawing | null>(null)

const HELP =
  'Diagram of messages over time. Left and right move it, plus and minus zoom, J and K go to the next and the previous event, ' +
  'with Shift to the next and the previous thing that is told, C or 1 to the cause, 2 and 3 to the further ones, Enter follows the request, Space plays. The button List shows the same as a list.'

function Legend() {
  const hidden = hiddenGroups.value
  return (
    <div class="legend" role="group" aria-label="Kinds of messages that are shown">
      {GROUPS.map((g, i) => (
        <button
          type="button"
          key={g.id}
          class="kind"
          aria-pressed={!hidden.has(i)}
          onClick={() => {
            const next = new Set(hidden)
            if (!next.delete(i)) next.add(i)
            hiddenGroups.value = next
          }}
        >
          <i class={`swatch m-${g.id}`} />
          {g.label}
        </button>
      ))}
    </div>
  )
}

// Caption says what the picture leaves out: counts instead of arrows, and how many are lost, refused or lies.
function Caption() {
  const sum = tips.value?.sum.value
  if (!sum) return null
  const bad = [
    sum.lies > 0 && `${plural(sum.lies, 'lie')} (◆)`,
    sum.refused > 0 && `${sum.refused} refused (⊘)`,
    sum.lost > 0 && `${sum.lost} lost (✕)`,
  ].filter(Boolean)
  return (
    <p class="caption">
      {plural(sum.total, 'message')}
      {sum.column > 0 &&
        `, more than can be told apart: drawn as counts for each ${duration(sum.column)}, the tallest ${sum.most}${
          sum.cut > 0 ? ` (cut at ${sum.cut})` : ''
        }. Zoom in for arrows.`}
      {bad.length > 0 && ` · ${bad.join(', ')}`}
    </p>
  )
}

function key(e: KeyboardEvent): void {
  if (e.ctrlKey || e.metaKey || e.altKey) return
  const done = KEYS[e.key]
  if (!done) return
  e.preventDefault()
  e.stopPropagation()
  done()
}

const KEYS: Record<string, () => void> = {
  ArrowLeft: () => pan(-0.12),
  ArrowRight: () => pan(0.12),
  '+': () => zoom(1 / 1.4),
  '=': () => zoom(1 / 1.4),
  '-': () => zoom(1.4),
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  J: () => stepSentence(1),
  K: () => stepSentence(-1),
  c: () => stepCause(),
  '1': () => stepCause(),
  '2': () => stepCause(1),
  '3': () => stepCause(2),
  Home: begin,
  End: end,
  ' ': toggle,
  Enter: () => followSelected(),
  Escape: () => {
    if (followed.value !== '') followed.value = ''
    else selected.value = -1
  },
}

function followSelected(): void {
  document.getElementById('follow-selected')?.click()
}

// listen makes the canvas answer to a mouse or a finger: drag to move, wheel or pinch to zoom, click to select.
function listen(canvas: HTMLCanvasElement, d: Drawing): () => void {
  const touches = new Map<number, { x: number; y: number }>()
  let dragged = 0
  let apart = 0
  const at = (e: PointerEvent | WheelEvent) => {
    const box = canvas.getBoundingClientRect()
    return { x: e.clientX - box.left, y: e.clientY - box.top }
  }
  const width = () => Math.max(1, canvas.clientWidth - (d.geometry?.gutter ?? 0))
  const share = (x: number) => Math.max(0, Math.min(1, (x - (d.geometry?.gutter ?? 0)) / width()))
  const down = (e: PointerEvent) => {
    touches.set(e.pointerId, at(e))
    canvas.setPointerCapture(e.pointerId)
    dragged = 0
    apart = 0
  }
  const move = (e: PointerEvent) => {
    const p = at(e)
    const before = touches.get(e.pointerId)
    if (!before) {
      d.hovered.value = d.scene ? nearest(d.scene, p.x, p.y) : null
      return
    }
    touches.set(e.pointerId, p)
    if (touches.size === 2) {
      const [a, b] = [...touches.values()]
      const now = a && b ? Math.abs(a.x - b.x) : 0
      if (apart > 20 && now > 20 && a && b) zoom(apart / now, share((a.x + b.x) / 2))
      apart = now
      return
    }
    dragged += Math.abs(p.x - before.x) + Math.abs(p.y - before.y)
    if (dragged > 3) {
      d.hovered.value = null
      pan((before.x - p.x) / width())
    }
  }
  const up = (e: PointerEvent) => {
    if (touches.delete(e.pointerId) && dragged <= 3 && d.scene) {
      const p = at(e)
      const line = nearest(d.scene, p.x, p.y, e.pointerType === 'touch' ? 16 : 7)
      const a = line?.arrow
      if (!a) selected.value = -1
      else {
        // Before its arrival a message is known by its sending.
        const index = a.got >= 0 ? a.got : a.sent
        if (index >= 0) selected.value = index
      }
    }
  }
  const leave = () => {
    d.hovered.value = null
  }
  const wheel = (e: WheelEvent) => {
    e.preventDefault()
    if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan((e.deltaX || e.deltaY) / width())
    else zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.005), share(at(e).x))
  }
  const twice = (e: MouseEvent) => {
    const box = canvas.getBoundingClientRect()
    const v = camera.value
    const time = v.right - v.span + share(e.clientX - box.left) * v.span
    lookAt(timeline.momentAt(time) - 1)
  }
  canvas.addEventListener('pointerdown', down)
  canvas.addEventListener('pointermove', move)
  canvas.addEventListener('pointerup', up)
  canvas.addEventListener('pointercancel', up)
  canvas.addEventListener('pointerleave', leave)
  canvas.addEventListener('wheel', wheel, { passive: false })
  canvas.addEventListener('dblclick', twice)
  return () => {
    pinned.value = false
    canvas.removeEventListener('pointerdown', down)
    canvas.removeEventListener('pointermove', move)
    canvas.removeEventListener('pointerup', up)
    canvas.removeEventListener('pointercancel', up)
    canvas.removeEventListener('pointerleave', leave)
    canvas.removeEventListener('wheel', wheel)
    canvas.removeEventListener('dblclick', twice)
  }
}
