import type { Message } from '../../model/types'

// Two statements of one replica that cannot both be honest, side by side: the fields in which they differ are the proof.

// One line of the comparison.
export interface Row {
  field: string
  first: string
  second: string
  differs: boolean
}

const order = ['type', 'view', 'seq', 'digest']
const names: Record<string, string> = { seq: 'sequence number', text: 'in one line' }

// The fields of both statements, the protocol's first and the text last, with those marked that differ.
export function compare(one: Message, other: Message): Row[] {
  const [first, second] = [one, other] as unknown as Record<string, unknown>[] as [
    Record<string, unknown>,
    Record<string, unknown>,
  ]
  const others = [...new Set([...Object.keys(first), ...Object.keys(second)])]
    .filter(f => !order.includes(f) && f !== 'text')
    .sort()
  return [...order, ...others, 'text']
    .filter(f => first[f] !== undefined || second[f] !== undefined)
    .map(f => {
      const [a, b] = [show(first[f]), show(second[f])]
      return { field: names[f] ?? f, first: a, second: b, differs: a !== b }
    })
}

function show(value: unknown): string {
  if (value === undefined) return '–'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

// The length of the common beginning of two texts, so that a long digest shows where it departs.
export function common(a: string, b: string): number {
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) i++
  return i
}
