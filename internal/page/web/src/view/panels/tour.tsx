// The tour: eight questions and their cards. A card runs in a cluster of its own, and its run is loaded into the time
// machine; on a live cluster some cards can be tried with the cluster itself.

import type { About, Card } from '../../model/frames'
import type { Act } from '../../wire/api'
import { type Acting, type Post, useActing } from './acting'
import { Button, Outcome, Tag } from './bits'
import { tour } from './remembered'
import { type Trial, trial } from './tryhere'

// What came of running a card.
export interface CardOutcome {
  name: string
  shown: boolean
  saw: string
  why?: string
}

export interface TourProps {
  about: About
  primary: number
  // Whether the page shows the cluster as it is now, so that cards can be tried on it.
  live: boolean
  post: Post
  // Loads the run of a card into the time machine.
  open: (address: string, title: string) => Promise<void>
}

const set = (some: Partial<typeof tour.value>) => {
  tour.value = { ...tour.value, ...some }
}

const where = (c: Card) => (c.live ? 'with real processes' : 'in the simulator')

// The panel: what there is, or one card.
export function Tour(p: TourProps) {
  const { about } = p
  const acting = useActing(p.post)
  const { card: name, outcomes } = tour.value
  const at = about.cards.findIndex(c => c.name === name)
  const card = about.cards[at]
  const run = async (c: Card) => {
    const done = await acting.run(`${c.title}: it happens ${where(c)} …`, { act: 'card', name: c.name })
    if (!done) return
    const result = done.result as { outcome: CardOutcome; trace: string }
    set({ outcomes: { ...tour.value.outcomes, [c.name]: result.outcome } })
    await p.open(result.trace, c.title)
  }
  return (
    <>
      <div class="panel">
        {!card && <Contents about={about} outcomes={outcomes} />}
        {card && (
          <>
            <nav class="row" aria-label="the tour">
              <Button onClick={() => set({ card: '' })}>All cards</Button>
              <span class="hint place-in-tour">
                {at + 1} of {about.cards.length}
              </span>
              <Button onClick={() => set({ card: about.cards[at - 1]?.name ?? card.name })} label="previous card">
                ‹
              </Button>
              <Button onClick={() => set({ card: about.cards[at + 1]?.name ?? card.name })} label="next card">
                ›
              </Button>
            </nav>
            <Shown
              key={card.name}
              card={card}
              about={about}
              outcome={outcomes[card.name]}
              acting={acting}
              run={() => void run(card)}
              trial={
                about.mode === 'live' && p.live
                  ? trial(card.name, { replicas: about.replicas, quorum: about.quorum, primary: p.primary }, about.acts)
                  : undefined
              }
            />
          </>
        )}
      </div>
      <Outcome {...acting} />
    </>
  )
}

// The cards by question, with what came of those that were run.
function Contents(p: { about: About; outcomes: Record<string, CardOutcome> }) {
  return (
    <>
      <p class="hint">
        What fault tolerance is, in {p.about.questions.length} questions. Each card makes one thing happen, and checks
        that it did.
      </p>
      {p.about.questions.map((q, i) => (
        <section key={q} aria-label={q}>
          <h2>
            Q{i + 1} {q}
          </h2>
          <ul class="contents">
            {p.about.cards
              .filter(c => c.question === i + 1)
              .map(c => {
                const came = p.outcomes[c.name]
                return (
                  <li key={c.name}>
                    <button type="button" class="plain" onClick={() => set({ card: c.name })}>
                      {c.title}
                      {came && (
                        <Tag tone={came.shown ? 'good' : 'bad'}>{came.shown ? 'it happened' : 'it did not happen'}</Tag>
                      )}
                    </button>
                  </li>
                )
              })}
          </ul>
        </section>
      ))}
    </>
  )
}

function Shown(p: { card: Card; about: About; outcome?: CardOutcome; acting: Acting; run: () => void; trial?: Trial }) {
  const { card: c, outcome } = p
  const { done } = tour.value
  return (
    <article class="tour-card" aria-label={c.title} data-card={c.name}>
      <p class="hint">
        Q{c.question} {p.about.questions[c.question - 1]}
      </p>
      <h2>{c.title}</h2>
      <p>{c.text}</p>
      <p>
        <b>Look at</b> {c.look}.
      </p>
      {p.about.acts.includes('card') ? (
        <div class="row">
          <Button tone="main" busy={!!p.acting.busy} onClick={p.run}>
            {outcome ? 'Run it again' : `Run it ${where(c)}`}
          </Button>
        </div>
      ) : (
        <p class="reason">Run it in a terminal: tagma-testnet concepts {c.name}</p>
      )}
      {outcome && (
        <div class="card-outcome" data-shown={outcome.shown}>
          <p>
            <Tag tone={outcome.shown ? 'good' : 'bad'}>{outcome.shown ? 'it happened' : 'it did not happen'}</Tag> Its
            run is in the time machine.
          </p>
          <ul class="saw">
            {outcome.saw.split('; ').map(s => (
              <li key={s}>{s}</li>
            ))}
            {outcome.why && <li class="bad">{outcome.why}</li>}
          </ul>
        </div>
      )}
      {p.trial && <TryHere name={c.name} trial={done[c.name] ?? p.trial} acting={p.acting} />}
      <p class="hint">
        Code:{' '}
        {c.code.map((f, i) => (
          <span key={f}>
            {i > 0 && ', '}
            <code>{f}</code>
          </span>
        ))}
      </p>
    </article>
  )
}

// The card's fault as acts on the live cluster. What is put right is what was done: another replica may lead by then.
function TryHere(p: { name: string; trial: Trial; acting: Acting }) {
  const { trial: t, acting } = p
  const { after } = t
  const act = async () => {
    if (await acting.run('doing it here …', ...t.acts)) set({ done: { ...tour.value.done, [p.name]: t } })
  }
  const undo = async (acts: Act[]) => {
    if (!(await acting.run('putting it right …', ...acts))) return
    const { [p.name]: _, ...others } = tour.value.done
    set({ done: others })
  }
  return (
    <section class="try-here" aria-label="try it on this cluster">
      <h3>Try it here</h3>
      <p>{t.says}</p>
      <div class="row">
        <Button tone="danger" busy={!!acting.busy} onClick={() => void act()}>
          Do it here
        </Button>
        {after && (
          <Button busy={!!acting.busy} title={after.says} onClick={() => void undo(after.acts)}>
            {after.says.replace(/\.$/, '')}
          </Button>
        )}
      </div>
    </section>
  )
}
