import { Pen, paint } from './pen'

// Easel is a canvas of the page with its painter. A browser that gives no canvas to another thread paints on this one.
export class Easel {
  private readonly pen = new Pen()
  private readonly canvas: HTMLCanvasElement
  private readonly painter: Worker | null = null
  private spare: Float32Array<ArrayBuffer> | null = null
  private painting = false
  private wanted = false

  // Ready is called when a picture can be shown that could not before.
  constructor(canvas: HTMLCanvasElement, ready: () => void) {
    this.canvas = canvas
    if (typeof Worker === 'undefined' || !('transferControlToOffscreen' in canvas)) return
    this.painter = new Worker(new URL('./painter.ts', import.meta.url), { type: 'module' })
    this.painter.onmessage = (e: MessageEvent<Float32Array<ArrayBuffer>>) => {
      this.spare = e.data
      this.painting = false
      if (!this.wanted) return
      this.wanted = false
      ready()
    }
    const given = canvas.transferControlToOffscreen()
    this.painter.postMessage(given, [given])
  }

  // begin gives the pen for the next picture; null while the last one is being painted: ready is called after that.
  begin(): Pen | null {
    this.wanted ||= this.painting
    return this.painting ? null : this.pen
  }

  // show paints what the pen noted on a canvas of this size, in pixels of the page.
  show(width: number, height: number, ratio: number): void {
    const picture = {
      ...this.pen.take(this.spare),
      width: Math.round(width * ratio),
      height: Math.round(height * ratio),
      ratio,
    }
    this.spare = null
    if (!this.painter) {
      paint(this.canvas, picture)
      this.spare = picture.ops
      return
    }
    this.painting = true
    this.painter.postMessage(picture, [picture.ops.buffer])
  }

  close(): void {
    this.painter?.terminate()
  }
}
