import { GROUPS } from '../model/groups'

// Palette holds the colours of the canvas, which are those of the style sheet.
export interface Palette {
  groups: string[]
  surface: string
  sunken: string
  line: string
  strong: string
  ink: string
  ink2: string
  ink3: string
  accent: string
  accentSoft: string
  good: string
  warn: string
  bad: string
  lie: string
  font: string
}

export function readPalette(): Palette {
  const css = getComputedStyle(document.documentElement)
  const get = (name: string) => css.getPropertyValue(name).trim()
  return {
    groups: GROUPS.map(g => get(g.colour)),
    surface: get('--surface'),
    sunken: get('--sunken'),
    line: get('--line'),
    strong: get('--line-strong'),
    ink: get('--ink'),
    ink2: get('--ink-2'),
    ink3: get('--ink-3'),
    accent: get('--accent'),
    accentSoft: get('--accent-soft'),
    good: get('--good'),
    warn: get('--warn'),
    bad: get('--bad'),
    lie: get('--lie'),
    font: get('--sans'),
  }
}
