import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const LONGEST_FILE = 400
const WIDEST_COMMENT = 125

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|tsx|css)$/.test(name))
    .map(name => join(folder, name))
}

test('a source file has one idea: no more than 400 lines, and comments that fit a screen', () => {
  const long: string[] = []
  for (const file of [...sources('src'), ...sources('test'), ...sources('tools')]) {
    const lines = readFileSync(file, 'utf8').split('\n')
    if (lines.length > LONGEST_FILE) long.push(`${file}: ${lines.length} lines`)
    lines.forEach((line, i) => {
      if (/^\s*(\/\/|\/?\*)/.test(line) && line.length > WIDEST_COMMENT) long.push(`${file}:${i + 1}: a wide comment`)
    })
  }
  expect(long).toEqual([])
})
