// An animated WebP made of still ones: the frames' chunks are put behind each other with their places and times
// (RFC 9649, section 2.7). The browser has encoded the stills, so nothing else is needed for a moving picture.

// Frame is a still picture, as a browser's canvas encodes it, and where and how long it is shown.
export interface Frame {
  webp: Buffer
  x: number // even
  y: number // even
  width: number
  height: number
  ms: number
}

// animate returns the file of an endless animation.
export function animate(width: number, height: number, frames: readonly Frame[]): Buffer {
  const head = Buffer.alloc(10)
  head[0] = 0x02 // it is an animation
  head.writeUIntLE(width - 1, 4, 3)
  head.writeUIntLE(height - 1, 7, 3)
  const anim = Buffer.alloc(6) // a transparent ground, and no end of repetitions
  const body = Buffer.concat([chunk('VP8X', head), chunk('ANIM', anim), ...frames.map(f => chunk('ANMF', placed(f)))])
  const riff = Buffer.alloc(12)
  riff.write('RIFF', 0, 'latin1')
  riff.writeUInt32LE(body.length + 4, 4)
  riff.write('WEBP', 8, 'latin1')
  return Buffer.concat([riff, body])
}

function placed(f: Frame): Buffer {
  const head = Buffer.alloc(16)
  head.writeUIntLE(f.x / 2, 0, 3)
  head.writeUIntLE(f.y / 2, 3, 3)
  head.writeUIntLE(f.width - 1, 6, 3)
  head.writeUIntLE(f.height - 1, 9, 3)
  head.writeUIntLE(f.ms, 12, 3)
  head[15] = 0x02 // it stands on what was there, without blending
  return Buffer.concat([head, image(f.webp)])
}

// image is the chunk of a still file that holds its picture.
function image(webp: Buffer): Buffer {
  for (let at = 12; at + 8 <= webp.length; ) {
    const name = webp.toString('latin1', at, at + 4)
    const size = webp.readUInt32LE(at + 4)
    const end = at + 8 + size + (size % 2)
    if (name === 'VP8 ' || name === 'VP8L') return webp.subarray(at, end)
    at = end
  }
  throw new Error('a WebP file without a picture')
}

function chunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(name, 0, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}
