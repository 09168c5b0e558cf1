// Pictures are painted on a thread of their own: without a graphics processor, drawing takes longer than everything else in
// a frame. The main thread only notes what is to be drawn, as numbers, and the painter draws it.

// Picture is what a pen noted, and how large its canvas is.
export interface Picture {
  ops: Float32Array<ArrayBuffer>
  end: number // so many of them count
  words: string[] // colours, fonts and texts, by the numbers that ops have for them
  width: number // in pixels of the screen
  height: number
  ratio: number // of these pixels to those of the page
}

// Op begins an operation; its arguments follow.
enum Op {
  Begin,
  Move,
  Line,
  Close,
  Rect,
  Round,
  Arc,
  Stroke,
  Fill,
  FillRect,
  Text,
  FillStyle,
  StrokeStyle,
  Width,
  Alpha,
  Font,
  Align,
  Dash,
}

const ALIGNS: readonly CanvasTextAlign[] = ['left', 'center', 'right']

// Pen has those of a canvas' methods that the pictures need. Texts stand in the middle of their height.
export class Pen {
  private ops = new Float32Array(4096)
  private end = 0
  private words: string[] = []
  private numbers = new Map<string, number>()
  private fill_ = ''
  private stroke_ = ''
  private font_ = ''
  private alpha_ = 1

  // take gives what was noted, and begins anew. The buffer is one that a painter gave back, or a new one.
  take(buffer: Float32Array<ArrayBuffer> | null): Pick<Picture, 'ops' | 'end' | 'words'> {
    const { ops, end, words } = this
    this.ops = buffer && buffer.length >= ops.length ? buffer : new Float32Array(ops.length)
    this.end = 0
    this.words = []
    this.numbers.clear()
    this.fill_ = this.stroke_ = this.font_ = ''
    this.alpha_ = 1
    return { ops, end, words }
  }

  private note(op: Op, a = 0, b = 0, c = 0, d = 0, e = 0): void {
    let { ops, end } = this
    if (end + 6 > ops.length) {
      this.ops = new Float32Array(2 * ops.length)
      this.ops.set(ops)
      ops = this.ops
    }
    ops[end++] = op
    const n = SIZES[op] as number
    if (n > 0) ops[end++] = a
    if (n > 1) ops[end++] = b
    if (n > 2) ops[end++] = c
    if (n > 3) ops[end++] = d
    if (n > 4) ops[end++] = e
    this.end = end
  }

  private word(text: string): number {
    let n = this.numbers.get(text)
    if (n === undefined) {
      n = this.words.push(text) - 1
      this.numbers.set(text, n)
    }
    return n
  }

  get fillStyle(): string {
    return this.fill_
  }
  set fillStyle(colour: string) {
    if (colour !== this.fill_) this.note(Op.FillStyle, this.word(colour))
    this.fill_ = colour
  }
  get strokeStyle(): string {
    return this.stroke_
  }
  set strokeStyle(colour: string) {
    if (colour !== this.stroke_) this.note(Op.StrokeStyle, this.word(colour))
    this.stroke_ = colour
  }
  get globalAlpha(): number {
    return this.alpha_
  }
  set globalAlpha(alpha: number) {
    if (alpha !== this.alpha_) this.note(Op.Alpha, alpha)
    this.alpha_ = alpha
  }
  set font(font: string) {
    if (font !== this.font_) this.note(Op.Font, this.word(font))
    this.font_ = font
  }
  set lineWidth(width: number) {
    this.note(Op.Width, width)
  }
  set textAlign(align: CanvasTextAlign) {
    this.note(Op.Align, ALIGNS.indexOf(align))
  }

  beginPath(): void {
    this.note(Op.Begin)
  }
  moveTo(x: number, y: number): void {
    this.note(Op.Move, x, y)
  }
  lineTo(x: number, y: number): void {
    this.note(Op.Line, x, y)
  }
  closePath(): void {
    this.note(Op.Close)
  }
  rect(x: number, y: number, width: number, height: number): void {
    this.note(Op.Rect, x, y, width, height)
  }
  roundRect(x: number, y: number, width: number, height: number, radius: number): void {
    this.note(Op.Round, x, y, width, height, radius)
  }
  // circle adds a whole circle to the path.
  circle(x: number, y: number, radius: number): void {
    this.note(Op.Arc, x, y, radius)
  }
  stroke(): void {
    this.note(Op.Stroke)
  }
  fill(): void {
    this.note(Op.Fill)
  }
  fillRect(x: number, y: number, width: number, height: number): void {
    this.note(Op.FillRect, x, y, width, height)
  }
  fillText(text: string, x: number, y: number): void {
    this.note(Op.Text, this.word(text), x, y)
  }
  // dash makes lines of strokes and gaps of these lengths; without them whole ones.
  dash(on = 0, off = 0): void {
    this.note(Op.Dash, on, off)
  }

  // widthOf is the width of a text in the present font.
  widthOf(text: string): number {
    return measured(this.font_, text)
  }
}

// SIZES are how many arguments the operations have.
const SIZES: readonly number[] = [0, 2, 2, 0, 4, 5, 3, 0, 0, 4, 3, 1, 1, 1, 1, 1, 1, 2]

let ruler: CanvasRenderingContext2D | null = null
const widths = new Map<string, number>()

function measured(font: string, text: string): number {
  const key = `${font} ${text}`
  const known = widths.get(key)
  if (known !== undefined) return known
  ruler ??= document.createElement('canvas').getContext('2d')
  if (!ruler) return 6 * text.length
  ruler.font = font
  const { width } = ruler.measureText(text)
  if (widths.size > 2000) widths.clear()
  widths.set(key, width)
  return width
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

// paint draws a picture on a canvas, which gets the picture's size.
export function paint(canvas: HTMLCanvasElement | OffscreenCanvas, picture: Picture): void {
  const pen = canvas.getContext('2d', { alpha: false }) as Context | null
  if (!pen) return
  const { width, height, ratio } = picture
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.globalAlpha = 1
  pen.textBaseline = 'middle'
  replay(pen, picture)
}

// replay does what a pen noted.
export function replay(pen: Context, { ops, end, words }: Pick<Picture, 'ops' | 'end' | 'words'>): void {
  for (let i = 0; i < end; ) {
    const op = ops[i] as Op
    const a = ops[i + 1] as number
    const b = ops[i + 2] as number
    const c = ops[i + 3] as number
    const d = ops[i + 4] as number
    switch (op) {
      case Op.Begin:
        pen.beginPath()
        break
      case Op.Move:
        pen.moveTo(a, b)
        break
      case Op.Line:
        pen.lineTo(a, b)
        break
      case Op.Close:
        pen.closePath()
        break
      case Op.Rect:
        pen.rect(a, b, c, d)
        break
      case Op.Round:
        pen.roundRect(a, b, c, d, ops[i + 5] as number)
        break
      case Op.Arc:
        pen.moveTo(a + c, b)
        pen.arc(a, b, c, 0, 2 * Math.PI)
        break
      case Op.Stroke:
        pen.stroke()
        break
      case Op.Fill:
        pen.fill()
        break
      case Op.FillRect:
        pen.fillRect(a, b, c, d)
        break
      case Op.Text:
        pen.fillText(words[a] as string, b, c)
        break
      case Op.FillStyle:
        pen.fillStyle = words[a] as string
        break
      case Op.StrokeStyle:
        pen.strokeStyle = words[a] as string
        break
      case Op.Width:
        pen.lineWidth = a
        break
      case Op.Alpha:
        pen.globalAlpha = a
        break
      case Op.Font:
        pen.font = words[a] as string
        break
      case Op.Align:
        pen.textAlign = ALIGNS[a] as CanvasTextAlign
        break
      case Op.Dash:
        pen.setLineDash(a > 0 ? [a, b] : [])
        break
      default:
        throw new Error(`an operation ${op} that no pen notes`)
    }
    i += 1 + (SIZES[op] as number)
  }
}
