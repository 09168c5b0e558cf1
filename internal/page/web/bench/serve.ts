import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TraceEvent } from '../src/model/types'
import { header } from './trace'

const TYPES: Record<string, string> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
}

// serve answers as the page's own server does: the built files, and the events, all at once or at their times.
export async function serve(events: readonly TraceEvent[], live: boolean): Promise<{ url: string; close: () => void }> {
  const about = {
    mode: live ? 'live' : 'trace',
    title: 'a benchmark',
    engine: 'sim',
    replicas: header.replicas,
    quorum: 3,
    faulty: 1,
    machine: 'kv',
    checkpoint_interval: 128,
    window: 256,
    view_timeout_ms: 1000,
    clients: [],
    acts: [],
    behaviours: [],
    questions: [],
    cards: [],
  }
  const server: Server = createServer((request, answer) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (path === '/api/about') {
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify(about))
    } else if (path === '/api/stream') {
      answer.write(`${JSON.stringify({ frame: 'header', ...header })}\n`)
      if (live)
        stream(
          events,
          text => answer.write(text),
          () => answer.destroyed,
        )
      else {
        for (const e of events) answer.write(`${JSON.stringify(e)}\n`)
        answer.end(`${JSON.stringify({ frame: 'kept' })}\n`)
      }
    } else {
      const file = join(import.meta.dirname, '../../dist', path === '/' ? 'index.html' : path)
      if (!existsSync(file)) {
        answer.statusCode = 404
        answer.end()
        return
      }
      answer.setHeader('content-type', TYPES[file.split('.').pop() ?? ''] ?? 'text/plain')
      createReadStream(file).pipe(answer)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

// stream writes events when their time has come, in pieces of 20 ms. What happened in the first 20 s is history.
function stream(events: readonly TraceEvent[], write: (text: string) => void, gone: () => boolean): void {
  const history = 20e6
  let next = 0
  const until = (time: number) => {
    let text = ''
    for (; next < events.length && (events[next]?.at_us ?? 0) <= time; next++)
      text += `${JSON.stringify(events[next])}\n`
    if (text) write(text)
  }
  until(history)
  write(`${JSON.stringify({ frame: 'kept' })}\n`)
  const began = performance.now()
  const timer = setInterval(() => {
    if (gone()) clearInterval(timer)
    else until(history + (performance.now() - began) * 1000)
  }, 20)
}
