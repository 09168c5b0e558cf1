// Throughput, latency and sizes over time, with the faults marked on the axis.

import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { span } from './format'
import type { Mark } from './series'

// One line of a chart.
export interface Line {
  label: string
  color: string // the name of a custom property, such as --line-1
  values: (number | null)[]
}

export interface ChartProps {
  title: string
  unit: string
  at: number[]
  lines: Line[]
  marks: readonly Mark[]
  // Where the time machine stands, in the seconds of the axis.
  cursor?: number
  logarithmic?: boolean
}

const height = 150

// A chart. What it shows is told in words too: its last values, and the marks below all charts.
export function Chart(p: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const now = useRef(p)
  now.current = p
  const shape = p.lines.map(l => l.label).join('|')
  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart is made anew when its lines are others
  useEffect(() => {
    const at = box.current
    if (!at) return
    const make = () => {
      plot.current?.destroy()
      plot.current = new uPlot(options(at, now), data(now.current), at)
    }
    make()
    const wide = new ResizeObserver(() => plot.current?.setSize({ width: at.clientWidth, height }))
    wide.observe(at)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', make)
    const theme = new MutationObserver(make)
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'class'] })
    return () => {
      wide.disconnect()
      theme.disconnect()
      dark.removeEventListener('change', make)
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape])
  useEffect(() => plot.current?.setData(data(p)))
  const last = p.lines.map(l => `${l.label} ${l.values.findLast(v => v !== null)?.toFixed(1) ?? '–'}`).join(', ')
  return (
    <figure class="chart">
      <figcaption>
        {p.title} <span class="hint">{p.unit}</span>
        <span class="legend">
          {p.lines.length > 1 &&
            p.lines.map(l => (
              <span key={l.label}>
                <i style={{ background: `var(${l.color})` }} />
                {l.label}
              </span>
            ))}
        </span>
      </figcaption>
      <div class="chart-box" ref={box} role="img" aria-label={`${p.title}, ${p.unit}; now: ${last}`} />
    </figure>
  )
}

function data(p: ChartProps): uPlot.AlignedData {
  return [p.at, ...p.lines.map(l => l.values)]
}

function options(at: HTMLElement, now: { current: ChartProps }): uPlot.Options {
  const style = getComputedStyle(at)
  const color = (name: string, other: string) => style.getPropertyValue(name).trim() || other
  const faint = color('--line', '#8884')
  const axis = {
    stroke: color('--ink-2', '#888'),
    grid: { stroke: faint, width: 1 },
    ticks: { stroke: faint, width: 1, size: 4 },
    font: '11px system-ui, sans-serif',
  }
  return {
    width: at.clientWidth || 300,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 5 } },
    scales: { x: { time: false }, y: { range: (_, __, most) => [0, Math.max(1, most ?? 1) * 1.1] } },
    axes: [
      { ...axis, size: 26, values: (_, all) => all.map(v => (v % 1 === 0 ? `${v} s` : `${v.toFixed(1)} s`)) },
      { ...axis, size: 48 },
    ],
    series: [
      {},
      ...now.current.lines.map(l => ({
        label: l.label,
        stroke: color(l.color, '#48c'),
        width: 1.5,
        spanGaps: false,
        points: { show: false },
      })),
    ],
    hooks: {
      draw: [
        u => {
          const { ctx, bbox } = u
          ctx.save()
          const line = (seconds: number, stroke: string, dash: number[]) => {
            const x = Math.round(u.valToPos(seconds, 'x', true))
            if (x < bbox.left || x > bbox.left + bbox.width) return x
            ctx.strokeStyle = stroke
            ctx.setLineDash(dash)
            ctx.beginPath()
            ctx.moveTo(x, bbox.top)
            ctx.lineTo(x, bbox.top + bbox.height)
            ctx.stroke()
            return x
          }
          ctx.lineWidth = devicePixelRatio
          for (const m of now.current.marks)
            line(m.at, m.healed ? color('--good', '#2a2') : color('--bad', '#c22'), [
              3 * devicePixelRatio,
              3 * devicePixelRatio,
            ])
          if (now.current.cursor !== undefined) line(now.current.cursor, color('--accent', '#48c'), [])
          ctx.restore()
        },
      ],
    },
  }
}

// The faults that are marked, in words.
export function Marks(p: { marks: readonly Mark[] }) {
  if (p.marks.length === 0) return null
  return (
    <ul class="marks" aria-label="faults marked on the axes">
      {p.marks.slice(-8).map(m => (
        <li key={`${m.at}${m.what}`} class={m.healed ? 'good' : 'bad'}>
          <span class="hint">{span(1000 * m.at)}</span> {m.what}
        </li>
      ))}
    </ul>
  )
}
