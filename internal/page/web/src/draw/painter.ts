import { type Picture, paint } from './pen'

// The painter is a thread that has a canvas. It paints each picture that it is sent, and sends the buffer back, which says
// that it is ready for the next one.

let canvas: OffscreenCanvas | null = null

addEventListener('message', (e: MessageEvent<OffscreenCanvas | Picture>) => {
  if (e.data instanceof OffscreenCanvas) {
    canvas = e.data
    return
  }
  if (canvas) paint(canvas, e.data)
  postMessage(e.data.ops, { transfer: [e.data.ops.buffer] })
})
