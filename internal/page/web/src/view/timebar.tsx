import { moment } from '../store/store'

export function TimeBar() {
  return <p class="quiet">{moment.value.index} events</p>
}
