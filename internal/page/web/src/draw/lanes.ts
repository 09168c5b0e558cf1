import type { Arrow } from '../model/arrows'
import type { Clients } from '../model/clients'
import { NOWHERE } from '../model/types'

export interface Lane {
  label: string
  replica: number // NOWHERE: of clients
  y: number
}

// Geometry says where things are on the canvas, in CSS pixels.
export interface Geometry {
  width: number
  height: number
  gutter: number // left of the time, for the names of lanes
  top: number // below the ruler
  lanes: Lane[]
  step: number // between two lanes of replicas
  replicaY: number[]
  clientY: number[] // by place of the client
}

// TOGETHER is how many clients have lanes of their own. More share one.
const TOGETHER = 3

export function layOut(width: number, height: number, replicas: number, clients: Clients): Geometry {
  const narrow = width < 560
  const shown = clients.lanes()
  const shared = shown.length > TOGETHER
  const clientLanes = shared || shown.length === 0 ? 1 : shown.length
  const top = 26
  const bottom = 22
  // A client's lane needs less room than a replica's, on which votes and phases are marked.
  const units = replicas + (clientLanes - 1) * 0.55 + 0.9
  const step = Math.max(26, Math.min(110, (height - top - bottom) / Math.max(1, units)))
  const lanes: Lane[] = []
  const clientY: number[] = []
  const replicaY: number[] = []
  let y = top + step * 0.4
  if (shared || shown.length === 0) {
    lanes.push({
      label: narrow ? 'clients' : shown.length === 0 ? 'clients' : `${shown.length} clients`,
      replica: NOWHERE,
      y,
    })
    for (let i = 0; i < clients.names.length; i++) clientY[i] = y
  } else {
    shown.forEach((c, i) => {
      if (i > 0) y += step * 0.55
      lanes.push({ label: narrow ? `c ${clients.nameOf(c)}` : `client ${clients.nameOf(c)}`, replica: NOWHERE, y })
      clientY[c] = y
    })
    clients.names.forEach((_, i) => {
      clientY[i] ??= clientY[clients.resolve(i)] ?? y
    })
  }
  for (let r = 0; r < replicas; r++) {
    y += r === 0 ? step * 0.9 : step
    replicaY.push(y)
    lanes.push({ label: narrow ? `r ${r}` : `replica ${r}`, replica: r, y })
  }
  return { width, height, gutter: narrow ? 60 : 84, top, lanes, step, replicaY, clientY }
}

// ends are the heights at which an arrow begins and ends. A client that is not known is above its lane's neighbours.
export function ends(g: Geometry, a: Arrow): [number, number] {
  const client = g.clientY[a.client] ?? g.lanes[0]?.y ?? g.top
  return [
    a.from === NOWHERE ? client : (g.replicaY[a.from] ?? g.top),
    a.to === NOWHERE ? client : (g.replicaY[a.to] ?? g.top),
  ]
}
