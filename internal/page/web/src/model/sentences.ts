import { basisOf, choicesOf, type Listed, listIn, signerOf } from './certificates'
import { oldestWaiting } from './reduce'
import type { Sent, TraceEvent, ViewStep } from './types'
import { and, duration, isFault, isScript, replicas, short, told } from './words'
import { faultyOf, primaryOf, type World } from './world'

// Tone says how a sentence is shown: quiet ones are routine, good ones end a trouble, alarms are proof of a lie or damage.
export type Tone = 'quiet' | 'plain' | 'good' | 'warn' | 'alarm'
export type Topic = 'view' | 'fault' | 'lie' | 'process' | 'transfer' | 'checkpoint' | 'request' | 'gap'

export interface Sentence {
  index: number // of its event
  at: number
  replica: number
  topic: Topic
  tone: Tone
  text: string
}

// Sentences tells what a reader should not miss. Each is told once: of what all replicas do, when the first of them does it
// and when a quorum has.
export class Sentences {
  list: Sentence[] = []
  private told = new Map<string, number>()
  private shown = new Map<string, Listed[]>() // what view-changes showed, by replica and view

  begin(): void {
    this.list = []
    this.told.clear()
    this.shown.clear()
  }

  // read takes an event and the world after it.
  read(e: TraceEvent, index: number, w: World): void {
    const say = (topic: Topic, tone: Tone, text: string) =>
      this.list.push({ index, at: e.at_us, replica: e.replica, topic, tone, text: capital(text) })
    switch (e.event) {
      case 'view':
        this.view(e, w, say)
        break
      case 'sent':
        this.certificates(e, say)
        break
      case 'refused': {
        const n = this.count(`refused ${e.replica} ${e.from} ${e.message.type}`)
        if (n === 1) say('lie', 'warn', told(e))
        else if (n === 10 || n === 100 || n === 1000) {
          say('lie', 'quiet', `replica ${e.replica} has refused ${n} such messages (${e.message.type ?? 'malformed'})`)
        }
        break
      }
      case 'quarantined':
        say('lie', 'warn', told(e))
        break
      case 'checkpoint':
        if (e.step === 'stable' && this.once(`stable ${e.seq}`)) {
          const state = `a quorum has the same state (${short(e.digest)})`
          say('checkpoint', 'quiet', `checkpoint ${e.seq} is stable at replica ${e.replica}: ${state}`)
        }
        break
      case 'transfer':
        if (e.step === 'progress') break
        say(
          'transfer',
          e.step === 'installed' ? 'good' : e.step === 'begun' || e.step === 'resumed' ? 'plain' : 'warn',
          told(e),
        )
        break
      case 'evidence':
        if (this.once(`evidence ${e.replica} ${e.against} ${e.proves}`)) {
          const both = `${e.first.text} and ${e.second.text}`
          say('lie', 'alarm', `${told(e)}; it signed both ${both}`)
        }
        break
      case 'diverged':
      case 'split':
      case 'forgot':
        if (this.once(`${e.event} ${e.replica} ${'seq' in e ? e.seq : ''}`)) say('lie', 'alarm', told(e))
        break
      case 'process':
        if (e.step === 'started' && this.count(`started ${e.replica}`) === 1) say('process', 'quiet', told(e))
        else say('process', e.step === 'started' || e.step === 'resumed' ? 'good' : 'warn', told(e))
        break
      case 'fault':
        if (isFault(e.what)) say('fault', isScript(e.what) ? 'plain' : e.step === 'fired' ? 'warn' : 'good', told(e))
        break
      case 'request':
        this.request(e.step, e.client, e.number, e.at_us, w, say)
        break
      case 'lost':
        say('gap', 'quiet', told(e))
        break
      default: // messages, phases and syncs are too many to be told one by one
    }
  }

  // lie tells once of what one replica said in two ways.
  lie(index: number, at: number, replica: number, about: string, why: string): void {
    if (!this.once(`lie ${replica} ${about}`) || this.count(`lies of ${replica}`) > 40) return
    this.list.push({ index, at, replica, topic: 'lie', tone: 'alarm', text: capital(why) })
  }

  private view(e: ViewStep, w: World, say: (topic: Topic, tone: Tone, text: string) => void): void {
    const n = w.replicas.length
    if (e.step === 'suspected') {
      const r = oldestWaiting(w)
      const waits =
        e.cause === 'timer' && r
          ? `request ${r.number} of client ${r.client} has waited ${duration(e.at_us - r.askedAt)}`
          : ({ timer: 'its timer ran out', evidence: 'it holds proof that the primary lies' }[e.cause] ??
            `on a ${e.cause}`)
      const all = w.suspicions.get(e.view)?.length ?? 1
      const of = all > faultyOf(n) ? '' : `; ${all} of ${n} suspect it, and ${faultyOf(n) + 1} must`
      say(
        'view',
        'warn',
        `replica ${e.replica} suspects replica ${primaryOf(w, e.view)}, the primary of view ${e.view}: ${waits}${of}`,
      )
      return
    }
    if (e.step === 'asked') {
      const who = e.suspects ?? []
      const first = this.once(`asked ${e.view}`)
      const enough =
        who.length > faultyOf(n)
          ? `${who.length} of ${n} suspect replica ${primaryOf(w, e.view - 1)} (${and(who)}): that is f + 1, so a correct one is among them, and `
          : ''
      say(
        'view',
        first ? 'warn' : 'plain',
        `${first ? enough : ''}replica ${e.replica} asks for view ${e.view}${first ? '' : ' too'}`,
      )
      return
    }
    const primary = primaryOf(w, e.view)
    const inside = w.replicas.filter(r => r.active && r.view === e.view).map(r => r.id)
    const first = this.once(`entered ${e.view}`)
    if (e.replica === primary) {
      say(
        'view',
        'plain',
        `replica ${primary}, the primary of view ${e.view}, has view-changes of a quorum and begins the view`,
      )
    } else
      say(
        'view',
        'plain',
        `replica ${e.replica} enters view ${e.view}${first ? `, which replica ${primary} leads` : ''}`,
      )
    if (inside.length >= w.quorum && this.once(`serves ${e.view}`)) {
      say('view', 'good', `view ${e.view} serves: ${replicas(inside)} are in it, a quorum of ${w.quorum}`)
    }
  }

  // certificates tells what a view-change shows as prepared, and what a new-view carries over: the safety of a view change.
  private certificates(e: Sent, say: (topic: Topic, tone: Tone, text: string) => void): void {
    const { type, view = 0, text } = e.message
    const by = signerOf(e.message) // replicas pass on what others signed
    if (type === 'view-change' && this.once(`shows ${by} ${view}`)) {
      const shown = listIn(text, 'P')
      const what =
        shown.length > 0 ? `shows that ${slotsIn(shown)} prepared before` : 'has nothing prepared that must be kept'
      say('view', shown.length > 0 ? 'plain' : 'quiet', `the view-change of replica ${by} to view ${view} ${what}`)
      this.shown.set(`${by} ${view}`, shown)
      if (this.shown.size > VIEW_CHANGES) this.shown.delete(this.shown.keys().next().value as string)
    }
    if (type === 'new-view' && this.once(`carries ${view}`)) {
      const carried = slotsIn(listIn(text, 'O'))
      const what = carried ? `carries over ${carried}` : 'has nothing to carry over'
      const basis = and(basisOf(e.message))
      say('view', 'plain', `the new-view of view ${view} rests on the view-changes of replicas ${basis} and ${what}`)
      const choices = choicesOf(e.message, by => this.shown.get(`${by} ${view}`) ?? [])
      for (const c of choices.slice(0, 3)) {
        const ways = c.shown.map(s => `${s.digest} in view ${s.view}, as ${replicas(s.by)} show${one(s.by)}`)
        say('view', 'plain', `slot ${c.seq} prepared as ${ways.join(', and as ')}: the highest view decides (V3)`)
      }
    }
  }

  // request tells of answers that took long. The others are too many.
  private request(
    step: string,
    client: number,
    number: number,
    at: number,
    w: World,
    say: (topic: Topic, tone: Tone, text: string) => void,
  ): void {
    if (step !== 'answered') return
    const r = w.requests.get(`${client}/${number}`)
    if (!r) return
    const took = at - r.askedAt
    if (took >= SLOW && this.count('slow') <= 200) {
      const slot = r.seq >= 0 ? ` (slot ${r.seq})` : ''
      say('request', 'plain', `client ${client} has the answer to request ${number} after ${duration(took)}${slot}`)
    }
  }

  private count(key: string): number {
    const n = (this.told.get(key) ?? 0) + 1
    this.told.set(key, n)
    if (this.told.size > 20_000) this.told.delete(this.told.keys().next().value as string)
    return n
  }

  private once(key: string): boolean {
    return this.count(key) === 1
  }

  forget(event: number): void {
    const keep = this.list.findIndex(s => s.index >= event)
    this.list.splice(0, keep < 0 ? this.list.length : keep)
  }

  // before is how many sentences are told at a moment.
  before(moment: number): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.list[middle]?.index ?? 0) < moment) low = middle + 1
      else high = middle
    }
    return low
  }
}

// slotsIn names the slots of a list; '' if there are none.
function slotsIn(slots: readonly Listed[]): string {
  const name = (s: Listed) => `slot ${s.seq} (${s.digest}${s.view >= 0 ? `, in view ${s.view}` : ''})`
  if (slots.length <= 2) return and(slots.map(name))
  return `slots ${slots[0]?.seq} to ${slots[slots.length - 1]?.seq}`
}

const one = (who: readonly number[]): string => (who.length === 1 ? 's' : '')

// VIEW_CHANGES is how many view-changes are remembered for the new-views that rest on them.
const VIEW_CHANGES = 1000

// SLOW is how long an answer takes that is worth a sentence, in microseconds.
const SLOW = 500_000

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
