import type { About } from '../model/frames'
import { authorization } from './token'

// Act is a wish to do something to the cluster: its name, and fields of its own.
export interface Act {
  act: string
  [field: string]: unknown
}

export interface Done {
  said: string
  result?: unknown
}

// RefusedError is what the server answers instead: one sentence that says what to do, and a code for programs.
export class RefusedError extends Error {
  readonly code: string
  constructor(text: string, code: string) {
    super(text)
    this.name = 'RefusedError'
    this.code = code
  }
}

export async function fetchAbout(): Promise<About> {
  return (await ask('api/about')).json()
}

// act does something to the cluster. It throws a RefusedError with a sentence to show.
export async function act(wish: Act): Promise<Done> {
  const answer = await ask('api/act', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(wish),
  })
  return answer.json()
}

// fetchWhy asks what the cluster waits for: what `tagma why --json` says.
export async function fetchWhy(): Promise<unknown> {
  return (await ask('api/why')).json()
}

export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(path, { ...init, headers: { ...authorization(), ...init.headers }, cache: 'no-store' })
  } catch {
    throw new RefusedError(
      'The server of this page does not answer: is the command that started it still running?',
      'away',
    )
  }
  if (answer.ok) return answer
  const text = await answer.text()
  try {
    const said = JSON.parse(text) as { error?: string; code?: string }
    if (said.error) throw new RefusedError(said.error, said.code ?? String(answer.status))
  } catch (e) {
    if (e instanceof RefusedError) throw e
  }
  throw new RefusedError(text.trim() || `The server answered ${answer.status}.`, String(answer.status))
}
