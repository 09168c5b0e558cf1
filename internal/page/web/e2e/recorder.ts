import type { Browser, Page } from '@playwright/test'
import { animate, type Frame } from './webp.ts'

interface Still {
  png: Buffer
  ms: number
  pointer: { x: number; y: number; down: boolean } | null
}

// Recorder makes a moving picture of what somebody does on the page: stills, with the pointer drawn where it is.
export class Recorder {
  private readonly stills: Still[] = []
  private pointer: Still['pointer'] = null
  private readonly page: Page
  constructor(page: Page) {
    this.page = page
  }

  // still adds what is seen now, for so long.
  async still(ms: number): Promise<void> {
    this.stills.push({ png: await this.page.screenshot(), ms, pointer: this.pointer })
  }

  // click moves the pointer to the middle of something, shows it there, and clicks.
  async click(what: ReturnType<Page['locator']>, ms = 500): Promise<void> {
    await what.scrollIntoViewIfNeeded()
    const box = await what.boundingBox()
    if (!box) throw new Error('what is to be clicked is not on the page')
    this.pointer = { x: box.x + box.width / 2, y: box.y + box.height / 2, down: false }
    await this.still(ms)
    this.pointer = { ...this.pointer, down: true }
    await what.click()
    await this.still(200)
    this.pointer = { ...this.pointer, down: false }
  }

  // file encodes what was recorded, so wide. Of each frame only the part that changed is kept.
  async file(browser: Browser, width: number): Promise<Buffer> {
    const blank = await browser.newPage()
    const frames: Frame[] = []
    let size = { width: 0, height: 0 }
    for (const s of this.stills) {
      const made = await blank.evaluate(encode, { png: s.png.toString('base64'), width, pointer: s.pointer })
      size = made.size
      const last = frames[frames.length - 1]
      if (!made.part && last) last.ms += s.ms
      else if (made.part) frames.push({ ...made.part, webp: Buffer.from(made.part.webp, 'base64'), ms: s.ms })
    }
    await blank.close()
    return animate(size.width, size.height, frames)
  }
}

interface Made {
  size: { width: number; height: number }
  part: { webp: string; x: number; y: number; width: number; height: number } | null
}

// encode runs in the browser: it draws a still smaller, finds what changed since the last one, and encodes that.
async function encode(s: { png: string; width: number; pointer: Still['pointer'] }): Promise<Made> {
  const keep = globalThis as unknown as { before?: ImageData }
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${s.png}`)).blob())
  const scale = s.width / picture.width
  const size = { width: s.width, height: Math.round((picture.height * scale) / 2) * 2 }
  const canvas = new OffscreenCanvas(size.width, size.height)
  const c = canvas.getContext('2d', { alpha: false, willReadFrequently: true })!
  c.imageSmoothingQuality = 'high'
  c.drawImage(picture, 0, 0, size.width, size.height)
  if (s.pointer) {
    c.beginPath()
    c.arc(s.pointer.x * scale, s.pointer.y * scale, s.pointer.down ? 7 : 10, 0, 2 * Math.PI)
    c.fillStyle = s.pointer.down ? 'rgb(230 120 20 / 75%)' : 'rgb(230 120 20 / 40%)'
    c.fill()
  }
  const now = c.getImageData(0, 0, size.width, size.height)
  const { before } = keep
  keep.before = now
  let [left, top, right, bottom] = [size.width, size.height, -1, -1]
  const [a, b] = [new Uint32Array(now.data.buffer), before && new Uint32Array(before.data.buffer)]
  for (let i = 0; i < a.length; i++) {
    if (b && a[i] === b[i]) continue
    const [x, y] = [i % size.width, Math.floor(i / size.width)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  if (right < 0) return { size, part: null }
  left -= left % 2
  top -= top % 2
  const [width, height] = [right - left + 1, bottom - top + 1]
  const part = new OffscreenCanvas(width, height)
  part.getContext('2d', { alpha: false })!.drawImage(canvas, left, top, width, height, 0, 0, width, height)
  const bytes = new Uint8Array(await (await part.convertToBlob({ type: 'image/webp', quality: 0.7 })).arrayBuffer())
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return { size, part: { webp: btoa(text), x: left, y: top, width, height } }
}
