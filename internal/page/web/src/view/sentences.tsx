import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Sentence } from '../model/sentences'
import { told } from '../model/words'
import { lookAt } from '../store/player'
import { following, history, seconds, selected, sentencesMoment, timeline } from '../store/store'
import { rove } from './rove'
import '../style/sentences.css'

// MOST is how many sentences are listed: the last ones before the moment that is shown.
const MOST = 150

const everything = signal(false)

// SIGNS stand before a sentence, so that its tone is told by shape too.
const SIGNS: Record<Sentence['tone'], string> = { quiet: '·', plain: '○', good: '●', warn: '▲', alarm: '◆' }

// Sentences tells what happened in plain words, up to the moment that is shown.
export function Sentences() {
  const { index } = sentencesMoment.value
  const rows = everything.value ? every(index) : recent(index)
  const box = useRef<HTMLDivElement>(null)
  const last = rows[rows.length - 1]?.index
  const held = useRef(true)
  // New sentences come at the end. The list stays there unless the reader has scrolled up.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the last sentence that moves the list
  useLayoutEffect(() => {
    const b = box.current
    if (b && (held.current || !following.value)) b.scrollTop = b.scrollHeight
  }, [last, everything.value])
  const chosen = rows.some(r => r.index === selected.value) ? selected.value : last
  return (
    <>
      <div class="place-head">
        <h2>What happened</h2>
        <span class="grow" />
        <button
          type="button"
          aria-pressed={everything.value}
          onClick={() => {
            everything.value = !everything.value
          }}
        >
          Every event
        </button>
      </div>
      <div
        class="place-body"
        ref={box}
        onScroll={e => {
          const b = e.currentTarget
          held.current = b.scrollTop + b.clientHeight > b.scrollHeight - 24
        }}
      >
        <ol class="sentences" onKeyDown={rove}>
          {rows.map(s => (
            <li key={`${s.index} ${s.text}`} class={s.tone}>
              <button
                type="button"
                tabIndex={s.index === chosen ? 0 : -1}
                aria-current={s.index === selected.value}
                onClick={() => lookAt(s.index)}
              >
                <span class="time">{seconds(s.at, 4)}</span>
                <span class="sign" aria-hidden="true">
                  {SIGNS[s.tone]}
                </span>
                <span class="text">{s.text}</span>
              </button>
            </li>
          ))}
        </ol>
        {rows.length === 0 && <p class="quiet pad">Nothing yet at this moment.</p>}
      </div>
    </>
  )
}

function recent(index: number): Sentence[] {
  const told = history.sentences.before(index)
  return history.sentences.list.slice(Math.max(0, told - MOST), told)
}

// every tells of each event, with the sentences in their places.
function every(index: number): Sentence[] {
  const rows: Sentence[] = []
  const { list } = history.sentences
  let s = history.sentences.before(index) - 1
  for (let i = index - 1; i >= timeline.first && rows.length < MOST; i--) {
    while (s >= 0 && (list[s]?.index ?? 0) >= i) {
      const sentence = list[s--]
      if (sentence) rows.push(sentence)
    }
    const e = timeline.at(i)
    if (!e || e.event === 'synced' || rows[rows.length - 1]?.index === i) continue
    const text = told(e)
    rows.push({
      index: i,
      at: e.at_us,
      replica: e.replica,
      topic: 'request',
      tone: e.event === 'refused' ? 'warn' : 'quiet',
      text: text.charAt(0).toUpperCase() + text.slice(1),
    })
  }
  return rows.reverse()
}
