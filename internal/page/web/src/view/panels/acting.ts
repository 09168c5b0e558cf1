// Doing something to the cluster: one act at a time in each panel, with what came of it.

import { useRef, useState } from 'preact/hooks'
import type { Act, Done } from '../../wire/api'

// Sends an act to the server. It rejects with an Error whose message is one sentence for people.
export type Post = (act: Act) => Promise<Done>

export interface Acting {
  busy?: string
  said?: string
  error?: string
  // How many acts are over, so that one outcome can be told from the one before.
  over: number
  // Does acts one after the other, and returns the last answer; undefined if one failed, or if another is under way.
  run(words: string, ...acts: Act[]): Promise<Done | undefined>
}

// The state of one panel's acts.
export function useActing(post: Post): Acting {
  const [state, set] = useState<{ busy?: string; said?: string; error?: string; over: number }>({ over: 0 })
  const under = useRef(false)
  const over = useRef(0)
  async function run(words: string, ...acts: Act[]): Promise<Done | undefined> {
    if (under.current) return undefined
    under.current = true
    set({ busy: words, over: over.current })
    let last: Done = { said: '' }
    try {
      for (const act of acts) last = await post(act)
      set({ said: last.said, over: ++over.current })
      return last
    } catch (e) {
      set({ error: e instanceof Error ? e.message : String(e), over: ++over.current })
      return undefined
    } finally {
      under.current = false
    }
  }
  return { ...state, run }
}

// Why nothing can be done here; undefined if something can.
export function unable(mode: string, acts: readonly string[]): string | undefined {
  if (acts.length > 0) return undefined
  switch (mode) {
    case 'trace':
      return 'This is a recording: nothing can be done to a run that is over. Start a cluster with “tagma-testnet start --ui”.'
    case 'run':
      return 'This is a run that is written down: only its scenario acts on the cluster. Start a cluster with “tagma-testnet start --ui”.'
    case 'node':
      return 'This is a replica in service: its page only shows. Faults are for testnets, which “tagma-testnet start --ui” starts.'
    default:
      return 'This page may not act: open it by the address that tagma-testnet printed, with its token.'
  }
}
