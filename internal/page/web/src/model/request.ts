import type { Message, RequestName } from './types'

// In traces without a client in their messages, the text names the request: request KEY/SESSION/NUMBER.
const NAMED = /^(?:request|reply) ([0-9a-f]{8})\/\d+\/(\d+)/

// requestOf is the request that a request or reply message is about.
export function requestOf(m: Message): RequestName | null {
  if (m.client !== undefined && m.number !== undefined) return { client: m.client, number: m.number }
  if (m.type !== 'request' && m.type !== 'reply') return null
  const found = NAMED.exec(m.text)
  return found ? { client: found[1] ?? '', number: Number(found[2]) } : null
}
