// Groups are the kinds of messages as the page colours and filters them. Their order is that of the legend.
export interface Group {
  id: string
  label: string
  types: readonly string[]
  colour: string // name of the CSS variable
  shown: boolean // from the beginning
}

export const GROUPS: readonly Group[] = [
  group('request', 'request', ['request', 'query']),
  group('pre-prepare', 'pre-prepare', ['pre-prepare', 'certified-body']),
  group('prepare', 'prepare', ['prepare']),
  group('commit', 'commit', ['commit']),
  group('reply', 'reply', ['reply', 'query-reply']),
  group('checkpoint', 'checkpoint', ['checkpoint', 'stable-notice']),
  group('view', 'view change', ['suspect', 'view-change', 'new-view']),
  group('transfer', 'transfer', ['fetch-state', 'data', 'fetch', 'fetch-slots', 'slots']),
  group('status', 'routine', [], false), // statuses, heartbeats, greetings, and what later versions add
]

function group(id: string, label: string, types: string[], shown = true): Group {
  return { id, label, types, colour: `--m-${id}`, shown }
}

const PLACE = new Map(GROUPS.flatMap((g, i) => g.types.map(t => [t, i] as const)))

// groupOf is the place of a type's group.
export const groupOf = (type: string): number => PLACE.get(type) ?? GROUPS.length - 1
