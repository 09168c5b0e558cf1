// The charts of what is kept: all of it, with a line where the time machine stands.

import { about, following, frames, moment, timeline } from '../../store/store'
import { Chart, type Line, Marks } from './charts'
import { Collected, Kept } from './collect'
import { type Columns, fromLoad, fromRequests, marks, type Sizes, sizes, stepFor } from './series'
import { beat } from './slow'

// Colours that can be told apart in both themes.
const colors = [
  '--accent',
  '--m-view',
  '--m-commit',
  '--m-checkpoint',
  '--m-reply',
  '--m-prepare',
  '--m-transfer',
  '--m-request',
]

const collected = new Collected()
const measured = new Kept<Columns>()
const kept = new Kept<Sizes>()

export function ChartsView() {
  beat.value
  const a = about.value
  const { zero } = timeline
  const counted = frames.loads.length > 1
  collected.upTo(timeline)
  const length = (timeline.lastAt - zero) / 1e6
  const columns = measured.of([counted, zero, frames.loads.length, collected.requests.length], () =>
    counted ? fromLoad(frames.loads, zero) : fromRequests(collected.requests, zero, stepFor(length)),
  )
  const disk = kept.of([zero, frames.reports.length], () => sizes(frames.reports, zero, a?.replicas ?? 0))
  const faults = marks(timeline.worldAt(timeline.end), zero)
  const cursor = following.value ? undefined : (moment.peek().at - zero) / 1e6
  if (columns.at.length === 0 && disk.at.length === 0) {
    return (
      <p class="panel empty">No request was answered yet, so there is nothing to draw. Set a load under “Requests”.</p>
    )
  }
  const common = { marks: faults, cursor }
  const perReplica = (of: (number | null)[][]): Line[] =>
    of.map((values, i) => ({ label: `replica ${i}`, color: colors[i % colors.length] as string, values }))
  return (
    <div class="panel">
      {columns.at.length > 0 && (
        <>
          <Chart
            title="Throughput"
            unit="operations a second"
            at={columns.at}
            lines={[{ label: 'acknowledged', color: '--accent', values: columns.rate }]}
            {...common}
          />
          <Chart
            title="Latency"
            unit="ms"
            at={columns.at}
            lines={[
              { label: 'median', color: '--accent', values: columns.p50 },
              { label: '99 of 100', color: '--m-view', values: columns.p99 },
            ]}
            {...common}
          />
        </>
      )}
      {disk.at.length > 0 && (
        <>
          <Chart title="Journal" unit="MiB" at={disk.at} lines={perReplica(disk.journal)} {...common} />
          <Chart title="State" unit="MiB" at={disk.at} lines={perReplica(disk.state)} {...common} />
        </>
      )}
      <Marks marks={faults} />
    </div>
  )
}
