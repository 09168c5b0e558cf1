// The panels with what they show and do: each reads the state of the page and hands it on.

import { useEffect, useState } from 'preact/hooks'
import type { About } from '../../model/frames'
import { clusterView, requestKey } from '../../model/world'
import { connect, open } from '../../store/feed'
import { lastBefore } from '../../store/frames'
import { about, connection, followed, frames, history, moment, reports, selected, show } from '../../store/store'
import { act, ask, fetchWhy } from '../../wire/api'
import { followRequest } from '../follow'
import { unable, useActing } from './acting'
import { Button, Outcome } from './bits'
import { Controls, Heal } from './controls'
import { EvidencePanel } from './evidence'
import { Lies } from './lies'
import { Network } from './network'
import { Replicas } from './replicas'
import { Requests } from './requests'
import { beat } from './slow'
import { Tour } from './tour'
import { Verdict } from './verdict'
import { type Because, Why } from './why'

// What all panels need: nothing is drawn before the server has said what there is.
function useShown() {
  beat.value
  const a = about.value
  return a && moment.peek().world.replicas.length > 0 ? { a, m: moment.peek() } : null
}

function Nothing() {
  return <p class="panel empty">Nothing has come from the cluster yet.</p>
}

// Why nothing can be done now: there is nothing to act on, or the page shows something else than the cluster.
function whyNot(a: About): string | undefined {
  const state = connection.value.state
  if (a.acts.length > 0 && state === 'file')
    return 'The page shows a recorded run. Go back to the cluster to act on it.'
  if (a.acts.length > 0 && state === 'broken') return 'The server of this page does not answer, so nothing can be done.'
  return unable(a.mode, a.acts)
}

// Leads from a recorded run back to the cluster.
export function Back() {
  if (connection.value.state !== 'file' || !about.value || about.value.mode === 'trace') return null
  return (
    <p class="back">
      A recorded run is shown. <Button onClick={() => void connect()}>Back to the cluster</Button>
    </p>
  )
}

export function ReplicasView() {
  const s = useShown()
  if (!s) return <Nothing />
  return (
    <Replicas
      about={s.a}
      world={s.m.world}
      reports={reports.peek() ?? undefined}
      now={s.m.at}
      post={act}
      not={whyNot(s.a)}
    />
  )
}

export function FaultsView() {
  const s = useShown()
  const acting = useActing(act)
  if (!s) return <Nothing />
  const { a, m } = s
  const not = whyNot(a)
  const all = reports.peek()
  const peers = m.world.replicas.map(r => {
    const down = r.process === 'crashed' || r.process === 'stopped' || all?.[r.id] === null
    return down ? null : (all?.[r.id]?.peers ?? [])
  })
  const liars = m.world.replicas.filter(r => r.lies).map(r => r.id)
  const { view } = clusterView(m.world)
  return (
    <>
      <div class="panel">
        <Back />
        {not && <p class="reason">{not}</p>}
        <Heal not={not} acts={a.acts} acting={acting} />
        <h2>Replicas</h2>
        <Controls not={not} acts={a.acts} replicas={a.replicas} acting={acting} />
        <h2>The network</h2>
        <Network
          not={not}
          acts={a.acts}
          replicas={a.replicas}
          quorum={a.quorum}
          primary={view % a.replicas}
          peers={peers}
          acting={acting}
        />
        <h2>A malicious replica</h2>
        <Lies not={not} replicas={a.replicas} behaviours={a.behaviours} liars={liars} acting={acting} />
      </div>
      <Outcome {...acting} />
    </>
  )
}

export function RequestsView() {
  const s = useShown()
  if (!s) return <Nothing />
  const load = lastBefore(frames.loads, s.m.at) ?? undefined
  const before = load && (lastBefore(frames.loads, load.at_us - 1) ?? undefined)
  return (
    <Requests
      not={whyNot(s.a)}
      acts={s.a.acts}
      faulty={s.a.faulty}
      post={act}
      load={load}
      before={before}
      followed={followed.value}
      lost={followed.value !== '' && history.follow(followed.value).events.size === 0}
      follow={r => followRequest(requestKey(r.client, r.number))}
    />
  )
}

export function EvidenceView() {
  const s = useShown()
  if (!s) return <Nothing />
  return (
    <EvidencePanel
      proofs={s.m.world.evidence}
      goTo={p => {
        selected.value = p.index
        show(p.index + 1)
      }}
    />
  )
}

// How often the cluster is asked what it waits for, in milliseconds.
const asking = 1500

export function WhyView() {
  const a = about.value
  const asks = a?.mode === 'live' || a?.mode === 'node'
  const [said, set] = useState<{ because?: Because; error?: string }>({})
  useEffect(() => {
    if (!asks) return
    let over = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const next = async () => {
      try {
        const because = (await fetchWhy()) as Because
        if (!over) set({ because })
      } catch (e) {
        if (!over) set({ error: e instanceof Error ? e.message : String(e) })
      }
      if (!over) timer = setTimeout(next, asking)
    }
    void next()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [asks])
  return <Why available={asks} own={a?.mode === 'node' ? (a.self ?? undefined) : undefined} {...said} />
}

export function TourView() {
  beat.value
  const a = about.value
  if (!a) return <Nothing />
  const { world } = moment.peek()
  return (
    <>
      <div class="panel-top">
        <Back />
      </div>
      <Tour
        about={a}
        primary={clusterView(world).view % a.replicas}
        live={connection.value.state === 'live'}
        post={act}
        open={async (address, title) => open(title, await (await ask(address)).text())}
      />
    </>
  )
}

export function VerdictView() {
  beat.value
  return <Verdict document={frames.verdict?.document} />
}
