import type { ComponentType } from 'preact'
import '../../style/panels.css'
import '../../style/replicas.css'
import '../../style/stories.css'
import { about, frames, version } from '../../store/store'
import { ChartsView } from './chartsview'
import { EvidenceView, FaultsView, ReplicasView, RequestsView, TourView, VerdictView, WhyView } from './views'

// Panel is a tab beside the diagram. `when` says whether it is of use now; without it a panel is always there.
export interface Panel {
  id: string
  title: string
  view: ComponentType
  when?: () => boolean
}

const live = () => about.value?.mode === 'live' || about.value?.mode === 'node'

// panels lists the tabs from left to right. The first one that is of use is shown first.
export const panels: Panel[] = [
  { id: 'replicas', title: 'Replicas', view: ReplicasView },
  { id: 'faults', title: 'Faults', view: FaultsView },
  { id: 'requests', title: 'Requests', view: RequestsView },
  { id: 'charts', title: 'Charts', view: ChartsView },
  { id: 'evidence', title: 'Evidence', view: EvidenceView },
  { id: 'why', title: 'Why', view: WhyView, when: live },
  { id: 'tour', title: 'Tour', view: TourView, when: () => (about.value?.cards.length ?? 0) > 0 },
  {
    id: 'verdict',
    title: 'Verdict',
    view: VerdictView,
    when: () => about.value?.mode === 'run' || (version.value >= 0 && frames.verdict !== null),
  },
]
