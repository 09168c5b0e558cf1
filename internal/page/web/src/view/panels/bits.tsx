// The small parts of which the panels are made.

import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

// A button. While it works it stays focusable, so that a keyboard does not lose its place.
export function Button(props: {
  children: ComponentChildren
  onClick: () => void
  busy?: boolean
  tone?: 'plain' | 'main' | 'danger'
  label?: string
  title?: string
  pressed?: boolean
  submit?: boolean
}) {
  const { busy = false, tone = 'plain' } = props
  return (
    <button
      type={props.submit ? 'submit' : 'button'}
      class={tone === 'plain' ? undefined : tone}
      aria-disabled={busy}
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.title}
      onClick={e => {
        if (busy) e.preventDefault()
        else props.onClick()
      }}
    >
      {props.children}
    </button>
  )
}

// A labelled field. Its hint is read with it.
export function Field(props: {
  label: string
  hint?: string
  children: (ids: { id: string; hint?: string }) => ComponentChildren
}) {
  const id = useId()
  const hint = props.hint ? `${id}-hint` : undefined
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children({ id, hint })}
      {props.hint && (
        <p class="hint" id={hint}>
          {props.hint}
        </p>
      )}
    </div>
  )
}

// A text or number field.
export function Text(props: {
  label: string
  value: string
  onInput: (value: string) => void
  hint?: string
  numeric?: boolean
  placeholder?: string
  required?: boolean
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, hint }) => (
        <input
          id={id}
          type="text"
          inputMode={props.numeric ? 'decimal' : undefined}
          value={props.value}
          placeholder={props.placeholder}
          required={props.required}
          autocomplete="off"
          spellcheck={false}
          aria-describedby={hint}
          onInput={e => props.onInput(e.currentTarget.value)}
        />
      )}
    </Field>
  )
}

// A choice among words.
export function Select(props: {
  label: string
  value: string
  onInput: (value: string) => void
  options: readonly { value: string; text: string }[]
  hint?: string
}) {
  return (
    <Field label={props.label} hint={props.hint}>
      {({ id, hint }) => (
        <select id={id} value={props.value} aria-describedby={hint} onInput={e => props.onInput(e.currentTarget.value)}>
          {props.options.map(o => (
            <option key={o.value} value={o.value}>
              {o.text}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

// Replicas to choose from: several, or one.
export function Pick(props: {
  label: string
  replicas: number
  chosen: readonly number[]
  onChange: (ids: number[]) => void
  one?: boolean
}) {
  const name = useId()
  return (
    <fieldset class="pick">
      <legend>{props.label}</legend>
      {Array.from({ length: props.replicas }, (_, i) => (
        <label key={i} class={props.chosen.includes(i) ? 'pick-on' : 'pick-off'}>
          <input
            type={props.one ? 'radio' : 'checkbox'}
            name={name}
            checked={props.chosen.includes(i)}
            aria-label={`replica ${i}`}
            onChange={e => {
              const others = props.one ? [] : props.chosen.filter(c => c !== i)
              props.onChange((e.currentTarget.checked ? [...others, i] : others).sort((a, b) => a - b))
            }}
          />
          {i}
        </label>
      ))}
    </fieldset>
  )
}

// What came of the last act: said aloud by screen readers, and kept in sight.
export function Outcome(props: { said?: string; error?: string; busy?: string; over: number }) {
  const text = props.busy ?? props.error ?? props.said ?? ''
  const kind = props.busy ? 'busy' : props.error ? 'error' : 'said'
  return (
    <p
      class={`outcome outcome-${kind}`}
      role="status"
      aria-live="polite"
      data-kind={text ? kind : 'none'}
      data-over={props.over}
    >
      {text}
    </p>
  )
}

// A word with a colour that repeats what it says.
export function Tag(props: {
  tone: 'good' | 'warn' | 'bad' | 'calm' | 'note'
  children: ComponentChildren
  title?: string
}) {
  return (
    <span class={`tag tag-${props.tone}`} title={props.title}>
      {props.children}
    </span>
  )
}
