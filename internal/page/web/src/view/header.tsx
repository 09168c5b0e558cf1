import { clusterView, primaryOf } from '../model/world'
import { about, type Connection, connection, moment } from '../store/store'
import { choose, dark } from '../store/theme'

// Header says what is shown, how it is connected, and who leads at the moment that is shown.
export function Header() {
  const { world } = moment.value
  const a = about.value
  const n = world.replicas.length
  const { view, at } = clusterView(world)
  return (
    <header class="header">
      <h1>Tagma</h1>
      <span class="title">{a?.title}</span>
      <State of={connection.value} />
      {n > 0 && (
        <span class="chip">
          {at >= world.quorum ? `view ${view}, primary: replica ${primaryOf(world, view)}` : 'no view serves'}
        </span>
      )}
      <span class="grow" />
      <button
        type="button"
        class="plain"
        aria-label={dark.value ? 'Show light colours' : 'Show dark colours'}
        onClick={() => choose(dark.value ? 'light' : 'dark')}
      >
        {dark.value ? 'Light' : 'Dark'}
      </button>
    </header>
  )
}

function State({ of }: { of: Connection }) {
  switch (of.state) {
    case 'connecting':
      return <span class="chip">connecting</span>
    case 'history':
      return <span class="chip">reading what has happened</span>
    case 'live':
      return <span class="chip good">live</span>
    case 'ended':
      return <span class="chip">recorded, complete</span>
    case 'file':
      return <span class="chip warn">from the file {of.name}</span>
    case 'broken':
      return (
        <span class="chip bad" role="alert">
          {of.why} {of.again !== null && 'Trying again.'}
        </span>
      )
  }
}
