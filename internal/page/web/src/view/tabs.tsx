import { signal } from '@preact/signals'
import { panels } from './panels'

// tab is the id of the panel that is shown; '': the first.
export const tab = signal('')

// Tabs shows one panel at a time. Arrow keys move between the tabs, as screen readers announce.
export function Tabs() {
  const all = panels.filter(p => p.when?.() ?? true)
  const shown = all.find(p => p.id === tab.value) ?? all[0]
  if (!shown) return null
  const move = (e: KeyboardEvent) => {
    const at = all.indexOf(shown)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[e.key]
    if (to === undefined) return
    e.preventDefault()
    const next = all[(to + all.length) % all.length]
    if (!next) return
    tab.value = next.id
    document.getElementById(`tab-${next.id}`)?.focus()
  }
  return (
    <>
      <div class="tablist" role="tablist" aria-label="Panels" onKeyDown={move}>
        {all.map(p => (
          <button
            type="button"
            role="tab"
            key={p.id}
            id={`tab-${p.id}`}
            aria-selected={p === shown}
            aria-controls="tabpanel"
            tabIndex={p === shown ? 0 : -1}
            onClick={() => {
              tab.value = p.id
            }}
          >
            {p.title}
          </button>
        ))}
      </div>
      <div
        class="tabpanel"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus a keyboard cannot scroll a panel of charts
        tabIndex={0}
        key={shown.id}
        role="tabpanel"
        id="tabpanel"
        aria-labelledby={`tab-${shown.id}`}
      >
        <shown.view />
      </div>
    </>
  )
}
