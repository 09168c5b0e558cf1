import { signal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { connect } from '../store/feed'
import { openMoment, saveMoment } from '../store/file'
import { begin, end, jumpTo, pause, play, playing, SPEEDS, speed, step, stepCause, stepSentence } from '../store/player'
import { connection, following, moment, seconds, selected, shown, timeline } from '../store/store'
import { Icon, type IconName } from './icons'
import { Overview } from './overview'
import '../style/timebar.css'

// TimeBar is the time machine: it moves the moment that everything else on the page shows.
export function TimeBar() {
  const { index } = moment.value
  const empty = timeline.end === timeline.first
  const first = index <= timeline.first
  const last = index >= timeline.end
  return (
    <div class="timebar" role="group" aria-label="Time machine">
      <div class="buttons">
        <Button sign="begin" name="To the beginning" act={begin} off={empty || first} />
        <Button
          sign="before"
          name="To the previous thing that is told"
          act={() => stepSentence(-1)}
          off={empty || first}
        />
        <Button sign="back" name="One event back" act={() => step(-1)} off={empty || first} />
        {playing.value || (following.value && connection.value.state === 'live') ? (
          <Button sign="pause" name="Pause" act={pause} off={empty} main />
        ) : (
          <Button sign="play" name="Play" act={play} off={empty} main />
        )}
        <Button sign="on" name="One event forward" act={() => step(1)} off={empty || last} />
        <Button sign="after" name="To the next thing that is told" act={() => stepSentence(1)} off={empty || last} />
        <Button
          sign="cause"
          text="Cause"
          name="To the cause of the event"
          act={() => stepCause()}
          off={empty || (first && selected.value < 0)}
        />
      </div>
      <Time />
      <Overview />
      <label class="speed">
        <span class="hidden">Speed of playing</span>
        <select
          value={String(speed.value)}
          onChange={e => {
            speed.value = Number(e.currentTarget.value)
          }}
        >
          {SPEEDS.map(s => (
            <option key={s} value={String(s)}>
              {s < 1 ? `1 : ${1 / s}` : `${s} ×`}
            </option>
          ))}
        </select>
      </label>
      <div class="buttons">
        <End />
        <button
          type="button"
          onClick={saveMoment}
          disabled={empty}
          title="Save what is kept, to be opened at this moment"
        >
          Save
        </button>
        <Open />
      </div>
      {shown.value && (
        <p class="said" role="status">
          {shown.value}
          <button
            type="button"
            class="plain"
            aria-label="Close this note"
            onClick={() => {
              shown.value = ''
            }}
          >
            <Icon of="close" />
          </button>
        </p>
      )}
    </div>
  )
}

function Button({
  sign,
  text,
  name,
  act,
  off,
  main,
}: {
  sign: IconName
  text?: string
  name: string
  act: () => void
  off: boolean
  main?: boolean
}) {
  return (
    <button
      type="button"
      class={main ? 'main play' : 'icon'}
      aria-label={name}
      title={name}
      disabled={off}
      onClick={act}
    >
      <Icon of={sign} />
      {text && <span class="wide">{text}</span>}
    </button>
  )
}

// End follows a live cluster, goes to the end of a recording, or from a file back to the server.
function End() {
  const { state } = connection.value
  if (state === 'file') {
    return (
      <button type="button" onClick={() => void connect()}>
        Leave the file
      </button>
    )
  }
  if (state === 'live') {
    return (
      <button type="button" aria-pressed={following.value} onClick={end}>
        <span class="dot" /> Live
      </button>
    )
  }
  return <Button sign="end" name="To the end" act={end} off={moment.value.index >= timeline.end} />
}

const typed = signal<string | null>(null)

// Time says the moment, and takes another.
function Time() {
  const go = () => {
    const t = Number(typed.value)
    if (typed.value !== null && typed.value.trim() !== '' && Number.isFinite(t)) jumpTo(timeline.zero + t * 1e6)
    typed.value = null
  }
  return (
    <form
      class="moment"
      onSubmit={e => {
        e.preventDefault()
        go()
      }}
    >
      <input
        aria-label="Moment, in seconds since the beginning"
        inputMode="decimal"
        value={typed.value ?? seconds(moment.value.at, 6)}
        onFocus={e => e.currentTarget.select()}
        onInput={e => {
          typed.value = e.currentTarget.value
        }}
        onBlur={go}
      />
      <span class="quiet">s</span>
    </form>
  )
}

function Open() {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <button type="button" onClick={() => input.current?.click()} title="Open a trace or a saved moment">
        Open
      </button>
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label="A trace or a saved moment"
        accept=".jsonl,.ndjson,.json"
        onChange={e => {
          const file = e.currentTarget.files?.[0]
          if (file) void openMoment(file)
          e.currentTarget.value = ''
        }}
      />
    </>
  )
}
