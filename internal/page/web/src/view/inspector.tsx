import type { Signal } from '@preact/signals'
import type { Drawing } from '../draw/drawing'
import { contentOf } from '../model/content'
import { latest, lookAt } from '../store/player'
import { history, moment, seconds, selected, timeline } from '../store/store'
import { followRequest, requestAt } from './follow'
import { Icon } from './icons'

// Tip tells of the message under the pointer.
export function Tip({ drawing }: { drawing: Signal<Drawing | null> }) {
  const d = drawing.value
  const line = d?.hovered.value
  if (!d || !line) return null
  const a = line.arrow
  const content = contentOf(history, a.got >= 0 ? a.got : a.sent, latest.value)
  if (!content) return null
  const width = d.geometry?.width ?? 0
  const x = (line.x1 + line.x2) / 2
  const y = (line.y1 + line.y2) / 2
  const side =
    x > width * 0.6 ? { right: `${width - Math.min(x, width - 20) + 14}px` } : { left: `${Math.max(x, 0) + 14}px` }
  const below = y < (d.geometry?.height ?? 0) * 0.6
  const height = below ? { top: `${y + 10}px` } : { bottom: `${(d.geometry?.height ?? 0) - y + 10}px` }
  return (
    <div class="tip" style={{ ...side, ...height }}>
      <strong>{content.title}</strong>
      {content.warning && <p class="warning">{content.warning}</p>}
      {content.lines.map(l => (
        <p key={l}>{l}</p>
      ))}
      <p class="quiet">{seconds(a.start, 6)} s</p>
    </div>
  )
}

// Inspector tells of the selected event, and leads to its causes and to its request. Screen readers hear it.
export function Inspector() {
  const index = selected.value
  const e = timeline.at(index)
  if (!e) {
    return (
      <div class="inspector empty" aria-live="polite">
        <p class="quiet">
          Point at an arrow, or select one to see why it was sent. J and K step through the events, with Shift through
          what is told.
        </p>
      </div>
    )
  }
  const content = contentOf(history, index, latest.value)
  const causes = history.causes(index)
  const request = requestAt(index)
  const past = index < moment.value.index
  return (
    <div class="inspector">
      <div aria-live="polite">
        <p class="what">
          <span class="time">{seconds(e.at_us, 6)} s</span>
          <strong>{content?.title}</strong>
          {content?.warning && <span class="warning">{content.warning}</span>}
        </p>
        <p class="quiet detail">{content?.lines.join(' · ')}</p>
      </div>
      <div class="leads">
        {causes[0] && (
          <button type="button" onClick={() => causes[0] && lookAt(causes[0].index)} title={causes[0].why}>
            <Icon of="cause" /> Because {causes[0].why}
          </button>
        )}
        {causes.slice(1, 3).map(c => (
          <button type="button" key={c.index} onClick={() => lookAt(c.index)} title={c.why}>
            and {c.why}
          </button>
        ))}
        {causes.length === 0 && <span class="quiet">The trace shows no cause.</span>}
        {request !== '' && (
          <button type="button" id="follow-selected" onClick={() => followRequest(request)}>
            Follow request {request.split('/')[1]} of client {request.split('/')[0]}
          </button>
        )}
        {!past && (
          <button type="button" onClick={() => lookAt(index)}>
            Show this moment
          </button>
        )}
        <button
          type="button"
          class="plain"
          aria-label="Select nothing"
          onClick={() => {
            selected.value = -1
          }}
        >
          <Icon of="close" />
        </button>
      </div>
    </div>
  )
}
