// rove moves the focus among the items of a list: one of them can be reached by Tab, the others by arrow keys.
export function rove(e: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const items = [
    ...e.currentTarget.querySelectorAll<HTMLElement>('[role="option"], [role="row"][tabindex], li > button'),
  ]
  const at = items.indexOf(document.activeElement as HTMLElement)
  const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, Home: 0, End: items.length - 1 }[e.key]
  if (to === undefined || items.length === 0) return
  e.preventDefault()
  items[Math.max(0, Math.min(items.length - 1, to))]?.focus()
}
