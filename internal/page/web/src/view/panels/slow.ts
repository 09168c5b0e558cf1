import { effect, signal } from '@preact/signals'
import { moment } from '../../store/store'

// PACE is how often panels are drawn again while events come, in milliseconds: the diagram needs the time of the others.
const PACE = 120

// beat changes when what the panels show may have changed, at most once in PACE.
export const beat = signal(0)

let due = false

effect(() => {
  moment.value
  if (due) return
  due = true
  setTimeout(() => {
    due = false
    beat.value++
  }, PACE)
})
