import { camera, left } from '../draw/camera'
import { hiddenGroups } from '../draw/drawing'
import { fateOf, shows } from '../draw/scene'
import { messageIn } from '../model/content'
import { plural, told } from '../model/words'
import { latest } from '../store/player'
import { followed, history, moment, seconds, selected, timeline, version } from '../store/store'
import { rove } from './rove'

// MOST is how many events the list shows at once.
const MOST = 400

// Listing says the same as the diagram in a list: what happened in the stretch of time that it shows. Arrow keys move in it.
export function Listing() {
  version.value
  const view = camera.value
  const first = timeline.momentAt(left(view))
  const to = timeline.momentAt(view.right)
  // Where not all fit, those before and after the moment are what the reader looks for.
  const from = to - first > MOST ? Math.max(first, moment.value.index - MOST / 2) : first
  const followedEvents = followed.value ? history.follow(followed.value).events : null
  const wish = {
    left: left(view),
    span: view.span,
    now: latest.value,
    hidden: hiddenGroups.value,
    followed: null,
  }
  const rows: { index: number; text: string; at: number; mark: string }[] = []
  let more = from - first
  for (let i = from; i < to; i++) {
    const e = timeline.at(i)
    if (!e || e.event === 'synced' || (followedEvents && !followedEvents.has(i))) continue
    const a = messageIn(e) ? history.arrows.ofEvent(i) : undefined
    if (a && !shows(a, wish)) continue
    if (rows.length >= MOST) {
      more += to - i
      break
    }
    const fate = a ? fateOf(history.arrows, a, wish.now) : 'arrived'
    const mark = a?.lie ? '◆ lie' : { refused: '⊘ refused', lost: '✕ lost', dropped: '', arrived: '', way: '' }[fate]
    rows.push({ index: i, text: told(e), at: e.at_us, mark })
  }
  const chosen = rows.some(r => r.index === selected.value) ? selected.value : (rows[0]?.index ?? -1)
  return (
    <div class="listing">
      <p class="quiet">
        {plural(rows.length, 'event')}
        {more > 0 && `, and ${more.toLocaleString('en')} more: zoom in to list them`}
      </p>
      <div role="listbox" aria-label="Events in view" tabIndex={-1} onKeyDown={rove}>
        {rows.map(r => (
          <div
            key={r.index}
            role="option"
            aria-selected={r.index === selected.value}
            tabIndex={r.index === chosen ? 0 : -1}
            onFocus={() => {
              selected.value = r.index
            }}
            onClick={e => e.currentTarget.focus()}
            onKeyDown={e => {
              if (e.key === 'Enter') e.currentTarget.focus()
            }}
          >
            <span class="time">{seconds(r.at, 6)}</span>
            <span>{r.text}</span>
            {r.mark && <span class="warning">{r.mark}</span>}
          </div>
        ))}
      </div>
    </div>
  )
}
