import { ask, RefusedError } from './api'

export interface Listener {
  // A connection begins: what comes next starts again from the history that the server keeps.
  begin(): void
  lines(lines: string[]): void
  // The stream is over, as that of a trace is after its last line.
  end(): void
  // The connection broke or could not be made; the next try is in so many milliseconds, or never.
  broken(why: string, again: number | null): void
}

// LONGEST is how long the page waits between two tries, in milliseconds.
const LONGEST = 8000

// follow reads lines until it is aborted. It connects again whenever the connection breaks, each time a little later.
export async function follow(path: string, listener: Listener, endless: boolean, signal: AbortSignal): Promise<void> {
  let wait = 500
  while (!signal.aborted) {
    let why = 'The server closed the connection.'
    try {
      const answer = await ask(path, { signal })
      listener.begin()
      wait = 500
      await read(answer, listener)
      if (!endless) {
        listener.end()
        return
      }
    } catch (e) {
      if (signal.aborted) return
      why = e instanceof Error ? e.message : String(e)
      if (e instanceof RefusedError && (e.code === '401' || e.code === '403' || e.code === 'token')) {
        listener.broken(why, null)
        return
      }
    }
    listener.broken(why, wait)
    await pause(wait, signal)
    wait = Math.min(2 * wait, LONGEST)
  }
}

async function read(answer: Response, listener: Listener): Promise<void> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) listener.lines(lines)
  }
  if (rest.trim()) listener.lines([rest])
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
