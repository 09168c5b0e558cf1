import { open } from './feed'
import { moment, shown, timeline } from './store'

// A moment is shared as a trace file whose first line says at which time it is to be opened.

export function momentLines(): string[] {
  const lines = [JSON.stringify({ ...timeline.header, frame: undefined, tagma_trace: 1, moment_us: moment.value.at })]
  for (let i = timeline.first; i < timeline.end; i++) lines.push(JSON.stringify(timeline.at(i)))
  return lines
}

export function saveMoment(): void {
  const name = `tagma-${((moment.value.at - timeline.zero) / 1e6).toFixed(3)}s.jsonl`
  const file = new Blob([`${momentLines().join('\n')}\n`], { type: 'application/x-ndjson' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  shown.value = `Saved as ${name}. Anybody opens it with "Open", or with tagma-testnet replay ${name} --ui.`
}

export async function openMoment(file: File): Promise<void> {
  const text = await file.text()
  let head: unknown
  try {
    head = JSON.parse(text.slice(0, text.indexOf('\n')))
  } catch {
    head = null
  }
  if (typeof head !== 'object' || head === null || !('tagma_trace' in head)) {
    shown.value = `${file.name} is no trace: its first line has no tagma_trace. Choose a file that "Save" or --trace wrote.`
    return
  }
  shown.value = ''
  open(file.name, text)
}
