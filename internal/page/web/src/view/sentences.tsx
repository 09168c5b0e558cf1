import { moment } from '../store/store'

export function Sentences() {
  return <p class="quiet">{moment.value.index} events</p>
}
