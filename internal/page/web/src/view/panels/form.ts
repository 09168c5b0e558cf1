// The form of a behaviour: which of its parameters are chosen from words, and what is sent to the server.

import type { Behaviour, Parameter } from '../../model/frames'

// A word that a parameter takes, and what it means.
export interface Word {
  word: string
  means: string
}

// A field of the form. Without words it takes any text.
export interface Field {
  name: string
  label: string
  preset: string
  hint: string
  words: Word[]
  numeric: boolean
}

// The words of a parameter whose summary lists them as "word: meaning; word: meaning". Summaries of other parameters are
// prose, and those parameters take text.
export function words(p: Parameter): Word[] {
  const found: Word[] = []
  for (const part of p.summary.split('; ')) {
    const match = /^([a-z0-9-]+): (.+)$/s.exec(part)
    if (!match) return []
    found.push({ word: match[1]!, means: match[2]! })
  }
  const known = found.some(w => w.word === p.default)
  if (!known && p.default !== 'yes' && p.default !== 'no' && p.default !== 'all') return []
  return known ? found : [{ word: p.default, means: p.default === 'no' ? 'not so' : 'all of it' }, ...found]
}

// The fields of a behaviour's form, in the order of the catalogue.
export function fields(b: Behaviour): Field[] {
  return b.parameters.map(p => ({
    name: p.name,
    label: p.name.replace(/_/g, ' '),
    preset: p.default,
    hint: p.summary,
    words: words(p),
    numeric: /^-?\d+(\.\d+)?$/.test(p.default),
  }))
}

// What the form says beyond the defaults: a field that was emptied counts as its default.
export function chosen(b: Behaviour, values: Readonly<Record<string, string>>): Record<string, string> {
  const out: Record<string, string> = {}
  for (const p of b.parameters) {
    const value = (values[p.name] ?? '').trim()
    if (value !== '' && value !== p.default) out[p.name] = value
  }
  return out
}

// Behaviours by failure model, in the order of the catalogue: the mildest first.
export function byModel(all: readonly Behaviour[]): { model: string; behaviours: Behaviour[] }[] {
  const groups: { model: string; behaviours: Behaviour[] }[] = []
  for (const b of all) {
    const last = groups.find(g => g.model === b.model)
    if (last) last.behaviours.push(b)
    else groups.push({ model: b.model, behaviours: [b] })
  }
  return groups
}
