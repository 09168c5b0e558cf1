import { effect, signal, untracked } from '@preact/signals'
import { fitTo } from '../draw/camera'
import { messageIn } from '../model/content'
import { requestOf } from '../model/request'
import { duration } from '../model/words'
import { requestKey } from '../model/world'
import { followed, history, moment, show, timeline, version } from '../store/store'

// MOST is how many of the last requests can be chosen from.
const MOST = 40

// choices are the requests that can be chosen. They are listed when the control is about to be used, not all the time.
const choices = signal<{ key: string; name: string }[]>([])

function list(): void {
  const all = [...moment.value.world.requests.values()]
  const waiting = all.filter(r => r.answeredAt < 0).slice(0, MOST / 2)
  const done = all.filter(r => r.answeredAt >= 0).slice(-MOST)
  choices.value = [...waiting, ...done.reverse()].map(r => {
    const slot = r.seq >= 0 ? `slot ${r.seq}, ` : ''
    const end = r.answeredAt < 0 ? 'waits' : slot + duration(r.answeredAt - r.askedAt)
    return { key: r.key, name: `client ${r.client} #${r.number} · ${end}` }
  })
}

// Follow chooses a request whose way is shown. Requests that wait come first.
export function Follow() {
  const key = followed.value
  const listed = choices.value
  return (
    <label class="follow">
      <span class="hidden">Follow a request</span>
      <select
        value={key}
        class={key ? 'chosen' : ''}
        onFocus={list}
        onPointerDown={list}
        onChange={e => {
          if (e.currentTarget.value === '') followed.value = ''
          else followRequest(e.currentTarget.value)
        }}
      >
        <option value="">{key ? 'Stop following' : 'Follow a request'}</option>
        {key !== '' && !listed.some(r => r.key === key) && <option value={key}>client {key.replace('/', ' #')}</option>}
        {listed.map(r => (
          <option key={r.key} value={r.key}>
            {r.name}
          </option>
        ))}
      </select>
    </label>
  )
}

// followRequest shows the way of a request, and all of it that is known. An answer to a request by hand may come before the
// first event of the request does; then it is shown as soon as there is one.
export function followRequest(key: string): void {
  followed.value = key
  if (reveal(key)) return
  const stop = effect(() => {
    void version.value // more events have come
    if (followed.value === key && !untracked(() => reveal(key))) return
    queueMicrotask(() => stop())
  })
}

// reveal moves to a request, since the present would carry it out of sight, and reports whether anything of it is known.
function reveal(key: string): boolean {
  let last = -1
  for (const i of history.follow(key).events) last = Math.max(last, i)
  if (last < 0) return false
  show(last + 1)
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const a of history.follow(key).arrows) {
    from = Math.min(from, a.start)
    to = Math.max(to, a.end)
  }
  if (to > from) fitTo(from, to)
  return true
}

// requestAt is the key of a request that an event is about: its own, or one that was ordered in its slot. '': none.
export function requestAt(index: number): string {
  const e = timeline.at(index)
  if (!e) return ''
  if (e.event === 'request') return requestKey(e.client, e.number)
  const m = messageIn(e)
  const named = m && (requestOf(m) ?? m.requests?.[0])
  if (named) {
    const { clients } = history.arrows
    const name = typeof named.client === 'number' ? named.client : clients.nameOf(clients.of(named.client))
    return requestKey(name, named.number)
  }
  const seq = m?.seq ?? ('seq' in e ? e.seq : undefined)
  return seq === undefined ? '' : history.places.requestIn(seq)
}
