import { expect, test } from 'vitest'
import { animate } from '../e2e/webp'

// still is a file as a browser makes it, with a picture of three bytes.
function still(name: string): Buffer {
  const file = Buffer.alloc(12 + 8 + 4)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(16, 4)
  file.write(`WEBP${name}`, 8, 'latin1')
  file.writeUInt32LE(3, 16)
  file.write('abc', 20, 'latin1')
  return file
}

test('an animation holds each picture with its place and time, and its sizes are right', () => {
  const file = animate(640, 400, [
    { webp: still('VP8 '), x: 0, y: 0, width: 640, height: 400, ms: 500 },
    { webp: still('VP8L'), x: 20, y: 40, width: 10, height: 12, ms: 250 },
  ])
  expect(file.toString('latin1', 0, 4)).toBe('RIFF')
  expect(file.readUInt32LE(4)).toBe(file.length - 8)
  const chunks: { name: string; at: number; size: number }[] = []
  for (let at = 12; at < file.length; ) {
    const size = file.readUInt32LE(at + 4)
    chunks.push({ name: file.toString('latin1', at, at + 4), at: at + 8, size })
    at += 8 + size + (size % 2)
  }
  expect(chunks.map(c => c.name)).toEqual(['VP8X', 'ANIM', 'ANMF', 'ANMF'])
  expect([file.readUIntLE(chunks[0]!.at + 4, 3), file.readUIntLE(chunks[0]!.at + 7, 3)]).toEqual([639, 399])
  const second = chunks[3]!.at
  expect([0, 3, 6, 9, 12].map(i => file.readUIntLE(second + i, 3))).toEqual([10, 20, 9, 11, 250])
  expect(file.toString('latin1', second + 16, second + 20)).toBe('VP8L')
})

test('a file without a picture is an error', () => {
  expect(() => animate(2, 2, [{ webp: Buffer.alloc(20), x: 0, y: 0, width: 2, height: 2, ms: 1 }])).toThrow(
    'without a picture',
  )
})
