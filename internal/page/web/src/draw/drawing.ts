import { effect, type Signal, signal } from '@preact/signals'
import type { Arrow } from '../model/arrows'
import { GROUPS } from '../model/groups'
import { clusterView, primaryOf } from '../model/world'
import { latest, playing, shownTime } from '../store/player'
import { followed, following, history, moment, opened, PACE, selected, timeline, version } from '../store/store'
import { dark } from '../store/theme'
import { camera, keep, left } from './camera'
import { Easel } from './easel'
import { paintLabels, paintLanes, paintMarks, paintMoment, paintPhases, paintRuler } from './frame'
import { frameOnce } from './framing'
import { type Geometry, layOut } from './lanes'
import { highlight, paintCounts, paintLines } from './paint'
import { type Palette, readPalette } from './palette'
import type { Pen } from './pen'
import { arrange, type Line, type Scene } from './scene'

// hiddenGroups are the places of the groups that the reader does not want to see.
export const hiddenGroups = signal<ReadonlySet<number>>(
  new Set(GROUPS.map((g, i) => (g.shown ? -1 : i)).filter(i => i >= 0)),
)

// Sum is what the words beside the diagram say of it.
export interface Sum {
  total: number
  lost: number
  refused: number
  lies: number
  column: number // length of a column of counts, in microseconds; 0: every message is drawn
  most: number // in one column and lane
  cut: number // the count at which columns are cut; 0: none is
}

// Drawing paints the diagram on a canvas whenever something that it shows changes, at most once a frame of the screen.
export class Drawing {
  readonly hovered: Signal<Line | null> = signal(null)
  readonly sum: Signal<Sum> = signal({ total: 0, lost: 0, refused: 0, lies: 0, column: 0, most: 0, cut: 0 })
  scene: Scene | null = null
  geometry: Geometry | null = null
  private palette: Palette
  private readonly size = signal({ width: 0, height: 0, ratio: 1 })
  private readonly stops: (() => void)[] = []
  private asked = 0
  private told = 0
  private drawn: { of: unknown[]; right: number; time: number } = { of: [], right: 0, time: 0 }
  private way: { key: string; end: number; arrows: Set<Arrow> } | null = null
  private readonly canvas: HTMLCanvasElement
  private readonly easel: Easel

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas
    this.easel = new Easel(canvas, () => this.ask())
    this.palette = readPalette()
    const watcher = new ResizeObserver(() => this.measure())
    watcher.observe(canvas)
    this.measure()
    this.stops.push(
      () => watcher.disconnect(),
      effect(() => {
        dark.value
        this.palette = readPalette()
      }),
      effect(() => {
        if (opened.value > 0) frameOnce()
      }),
      effect(() => keep(shownTime.value, timeline.zero, following.value || playing.value)),
      effect(() => {
        for (const s of [
          camera,
          version,
          moment,
          shownTime,
          selected,
          followed,
          hiddenGroups,
          this.hovered,
          this.size,
          dark,
        ]) {
          s.value
        }
        if (this.moved()) this.ask()
      }),
    )
  }

  close(): void {
    for (const stop of this.stops) stop()
    cancelAnimationFrame(this.asked)
    this.easel.close()
  }

  private measure(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas
    const ratio = Math.min(2, devicePixelRatio || 1)
    const now = this.size.value
    if (now.width !== width || now.height !== height || now.ratio !== ratio) this.size.value = { width, height, ratio }
  }

  // moved says whether a new picture would differ. One that moves by itself, and shows much time, differs by less than a
  // pixel from one frame of the screen to the next.
  private moved(): boolean {
    const v = camera.peek()
    const { width } = this.size.peek()
    const now = [
      v.span,
      selected.peek(),
      followed.peek(),
      hiddenGroups.peek(),
      this.hovered.peek(),
      this.size.peek(),
      dark.peek(),
    ]
    const same = now.every((value, i) => value === this.drawn.of[i])
    const time = shownTime.peek()
    const shift = (Math.max(Math.abs(v.right - this.drawn.right), Math.abs(time - this.drawn.time)) * width) / v.span
    const moving = following.peek() || playing.peek()
    if (same && moving && shift < 1) return false
    this.drawn = { of: now, right: v.right, time }
    return true
  }

  private ask(): void {
    if (this.asked === 0) {
      this.asked = requestAnimationFrame(() => {
        this.asked = 0
        this.draw()
      })
    }
  }

  private draw(): void {
    const { width, height, ratio } = this.size.value
    const pen = width > 0 && height > 0 ? this.easel.begin() : null
    if (!pen) return
    const p = this.palette
    pen.fillStyle = p.surface
    pen.fillRect(0, 0, width, height)

    const { arrows, marks } = history
    const { world } = moment.value
    const g = layOut(width, height, world.replicas.length, arrows.clients)
    const view = camera.value
    const stretch = { left: left(view), span: view.span, zero: timeline.zero }
    const scene = arrange(arrows, g, {
      left: stretch.left,
      span: view.span,
      now: latest.value,
      hidden: hiddenGroups.value,
      followed: this.followedArrows(),
    })
    this.scene = scene
    this.geometry = g

    paintRuler(pen, p, g, stretch)
    paintLanes(pen, p, g, stretch, marks)
    if (scene.counts) paintCounts(pen, p, scene.counts, g, stretch.left, stretch.span)
    paintLines(pen, p, scene, g)
    if (!scene.counts) paintPhases(pen, p, g, stretch, timeline)
    paintMarks(pen, p, g, stretch, marks)
    paintMoment(pen, p, g, stretch, shownTime.value, !following.value)
    this.stress(pen, p, g)
    const serving = clusterView(world)
    const primary = serving.at >= world.quorum ? primaryOf(world, serving.view) : -1
    paintLabels(pen, p, g, primary, id => {
      const r = world.replicas[id]
      if (!r) return ''
      if (r.process === 'crashed' || r.process === 'stopped') return 'down'
      if (r.process === 'paused') return 'paused'
      if (r.lies !== '') return 'malicious'
      if (r.transfer) return `fetches ${Math.round(100 * r.transfer.share)} %`
      return r.active ? '' : 'changes view'
    })
    this.easel.show(width, height, ratio)
    this.tell(scene)
  }

  // stress draws what is pointed at and what is selected above everything else.
  private stress(pen: Pen, p: Palette, g: Geometry): void {
    const lines = this.scene?.lines ?? []
    const chosen = history.arrows.ofEvent(selected.value)
    for (const l of lines) if (l.arrow === chosen) highlight(pen, p, l, true)
    const over = this.hovered.value?.arrow
    for (const l of lines) if (over && l.arrow === over && over !== chosen) highlight(pen, p, l, false)
    const e = timeline.at(selected.value)
    if (!e || chosen) return
    const v = camera.value
    const x = g.gutter + ((e.at_us - left(v)) / v.span) * (g.width - g.gutter)
    const y = g.replicaY[e.replica] ?? g.lanes[0]?.y
    if (x < g.gutter || y === undefined) return
    pen.strokeStyle = p.accent
    pen.lineWidth = 2
    pen.beginPath()
    pen.circle(x, y, 8)
    pen.stroke()
  }

  private followedArrows(): Set<Arrow> | null {
    const key = followed.value
    if (key === '') return null
    // New events may belong to the request; the search is not repeated while there are none.
    if (this.way?.key !== key || this.way.end !== timeline.end) {
      this.way = { key, end: timeline.end, arrows: history.follow(key).arrows }
    }
    return this.way.arrows
  }

  // tell passes on what is said of the picture, at the pace of words.
  private tell(scene: Scene): void {
    const moving = following.peek() || playing.peek()
    if (moving && performance.now() - this.told < PACE) return
    this.told = performance.now()
    const { total, lost, refused, lies, counts } = scene
    const cut = counts && counts.scale < counts.most ? counts.scale : 0
    const next: Sum = { total, lost, refused, lies, column: counts?.us ?? 0, most: counts?.most ?? 0, cut }
    const now = this.sum.value
    if ((Object.keys(next) as (keyof Sum)[]).some(k => next[k] !== now[k])) this.sum.value = next
  }
}
