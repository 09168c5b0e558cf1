import type { ComponentType } from 'preact'

// Panel is a tab beside the diagram. `when` says whether it is of use now; without it a panel is always there.
export interface Panel {
  id: string
  title: string
  view: ComponentType
  when?: () => boolean
}

// panels lists the tabs from left to right. The first one that is of use is shown first.
export const panels: Panel[] = []
