// The printed address carries the token in its fragment, which a browser sends to nobody. The page keeps it for the tab,
// so that it survives a reload, and takes it out of the address, so that a copied address gives no rights away.
const KEPT = 'tagma-token'

let token = ''

export function takeToken(): void {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  if (given) {
    sessionStorage.setItem(KEPT, given)
    history.replaceState(null, '', location.pathname + location.search)
  }
  token = given ?? sessionStorage.getItem(KEPT) ?? ''
}

export function authorization(): Record<string, string> {
  return token ? { Authorization: `Bearer ${token}` } : {}
}
