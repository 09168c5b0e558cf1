import { signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const KEPT = 'tagma-theme'

export const theme = signal<Theme>('system')
// dark says which of the two is shown now; a canvas reads its colours anew when it changes.
export const dark = signal(false)

const wish = matchMedia('(prefers-color-scheme: dark)')

export function startTheme(): void {
  const kept = localStorage.getItem(KEPT)
  choose(kept === 'light' || kept === 'dark' ? kept : 'system')
  wish.addEventListener('change', () => choose(theme.value))
}

export function choose(t: Theme): void {
  theme.value = t
  dark.value = t === 'dark' || (t === 'system' && wish.matches)
  document.documentElement.dataset.theme = dark.value ? 'dark' : 'light'
  if (t === 'system') localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, t)
}
