import { moment } from '../store/store'

export function Order() {
  return <p class="quiet">{moment.value.index} events</p>
}
