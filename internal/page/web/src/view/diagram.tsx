import { moment } from '../store/store'

export function Diagram() {
  return <p class="quiet">{moment.value.index} events</p>
}
