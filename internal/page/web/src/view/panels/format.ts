// Numbers and lists as people read them. Nothing here depends on the language of the browser, so that the same state always
// gives the same words.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

// A size in bytes with a unit that keeps it below 1024, such as "3.4 MiB".
export function bytes(n: number): string {
  let unit = 0
  let size = Math.max(0, n)
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${size >= 100 || unit === 0 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`
}

// A whole number with thin spaces between its thousands.
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u2009')
}

// A time of so many milliseconds in the unit that suits it: "3.2 ms", "1.4 s", "5 min".
export function span(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${ms.toFixed(0)} ms`
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 7_200_000) return `${(ms / 60_000).toFixed(0)} min`
  return `${(ms / 3_600_000).toFixed(1)} h`
}

// A share of 0 to 1 as a percentage.
export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`
}

// "0", "0 and 1", "0, 1 and 3"; the word for none if there are none.
export function list(items: readonly (number | string)[], none = 'nobody'): string {
  if (items.length === 0) return none
  if (items.length === 1) return String(items[0])
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
}

// "replica 2", "replicas 0 and 2".
export function replicas(ids: readonly number[]): string {
  return `${ids.length === 1 ? 'replica' : 'replicas'} ${list(ids)}`
}

// The first digits of a digest, which tell digests apart for people.
export function short(digest: string): string {
  return digest.slice(0, 8)
}
