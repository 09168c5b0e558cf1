import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Easel } from '../draw/easel'
import { readPalette } from '../draw/palette'
import type { Pen } from '../draw/pen'
import { jumpTo, latest, shownTime } from '../store/player'
import { connection, history, moment, opened, seconds, timeline, version } from '../store/store'
import { dark } from '../store/theme'

// Overview is the whole of what is kept in one strip: how much happened when, with faults, view changes and proofs. It is
// the slider of the time machine.
export function Overview() {
  const canvas = useRef<HTMLCanvasElement>(null)
  const hand = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const c = canvas.current
    if (!c) return
    let wide = c.clientWidth
    let high = c.clientHeight
    let at = -1
    const easel = new Easel(c, () => draw())
    const draw = () => paint(easel, wide, high)
    const resized = new ResizeObserver(() => {
      wide = c.clientWidth
      high = c.clientHeight
      draw()
    })
    resized.observe(c)
    const stops = [
      effect(() => {
        dark.value
        connection.value
        opened.value
        draw()
      }),
      effect(() => {
        version.value
        if (performance.now() - painted > REPAINT) draw()
      }),
      effect(() => {
        const { from, to } = bounds()
        const share = to > from ? (shownTime.value - from) / (to - from) : 0
        // Moved by a transform, it costs no layout of the page in each frame.
        const x = Math.round(Math.max(0, Math.min(1, share)) * wide)
        if (hand.current && x !== at) hand.current.style.transform = `translateX(${x}px)`
        at = x
      }),
    ]
    return () => {
      resized.disconnect()
      for (const stop of stops) stop()
      easel.close()
    }
  }, [])
  const { from, to } = bounds()
  const drag = (e: PointerEvent & { currentTarget: HTMLElement }) => {
    if (e.buttons === 0) return
    e.currentTarget.setPointerCapture(e.pointerId)
    const box = e.currentTarget.getBoundingClientRect()
    jumpTo(from + Math.max(0, Math.min(1, (e.clientX - box.left) / box.width)) * (to - from))
  }
  return (
    <div
      class="overview"
      role="slider"
      tabIndex={0}
      aria-label="Moment"
      aria-valuemin={0}
      aria-valuemax={Math.round((to - from) / 1000) / 1000}
      aria-valuenow={Math.round((moment.value.at - from) / 1000) / 1000}
      aria-valuetext={`${seconds(moment.value.at)} seconds`}
      onPointerDown={drag}
      onPointerMove={drag}
      onKeyDown={e => {
        const by = { ArrowRight: 0.005, ArrowLeft: -0.005, PageUp: 0.05, PageDown: -0.05 }[e.key]
        const t = by ? shownTime.value + by * (to - from) : { Home: from, End: to }[e.key]
        if (t === undefined) return
        e.preventDefault()
        jumpTo(t)
      }}
    >
      <canvas ref={canvas} aria-hidden="true" />
      <div class="hand" ref={hand} />
    </div>
  )
}

function bounds(): { from: number; to: number } {
  return { from: timeline.timeAt(timeline.first), to: latest.value }
}

// REPAINT is how often the strip is painted while events come: what it shows changes slowly.
const REPAINT = 1000
let painted = 0

function paint(easel: Easel, width: number, height: number): void {
  painted = performance.now()
  const pen = width > 0 ? easel.begin() : null
  if (!pen) return
  sketch(pen, width, height)
  easel.show(width, height, Math.min(2, devicePixelRatio || 1))
}

function sketch(pen: Pen, width: number, height: number): void {
  const p = readPalette()
  const { from, to } = { from: timeline.timeAt(timeline.first), to: latest.peek() }
  pen.fillStyle = p.sunken
  pen.fillRect(0, 0, width, height)
  if (to <= from) return
  const columns = Math.floor(width / 2)
  const counts: number[] = []
  let before = timeline.first
  for (let i = 0; i < columns; i++) {
    const after = timeline.momentAt(from + ((i + 1) / columns) * (to - from))
    counts.push(after - before)
    before = after
  }
  const most = Math.max(1, ...counts)
  pen.fillStyle = p.strong
  counts.forEach((n, i) => {
    // The root keeps a quiet stretch visible beside a busy one.
    const tall = n === 0 ? 0 : Math.max(1, Math.sqrt(n / most) * (height - 8))
    pen.fillRect(i * 2, height - tall, 1.5, tall)
  })
  const colours = { fault: p.warn, healed: p.good, enter: p.groups[6], evidence: p.lie, down: p.bad } as Record<
    string,
    string
  >
  for (const m of history.marks.list) {
    const colour = colours[m.kind]
    if (!colour || m.at < from) continue
    const x = ((m.at - from) / (to - from)) * width
    pen.fillStyle = colour
    pen.fillRect(x - 1, m.kind === 'fault' || m.kind === 'healed' ? 0 : 4, 2, m.kind === 'enter' ? height - 4 : 7)
  }
}
