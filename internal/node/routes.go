package node

import (
	"sync"

	"tagma/network"
	"tagma/pbft/wire"
)

// routes knows over which link the replies of each session go. It is bounded: a link's routes are removed with the
// link, and one link has a limited number of them.
type routes struct {
	mu     sync.Mutex
	links  map[wire.RequestID]*network.ClientLink
	byLink map[*network.ClientLink][]wire.RequestID
}

// maxRoutesPerLink bounds the sessions that share one link.
const maxRoutesPerLink = 4096

func newRoutes() *routes {
	return &routes{links: make(map[wire.RequestID]*network.ClientLink), byLink: make(map[*network.ClientLink][]wire.RequestID)}
}

// sessionOf returns the name of a request's session: the request's name with number 0, which no request has.
func sessionOf(id wire.RequestID) wire.RequestID {
	id.T = 0
	return id
}

// set notes over which link the replies of a session go. A link may prove another key than the client's: it may be the
// link of a gateway, or of a peer that repeats another client's request. Such a link does not replace one that proves
// the client's own key. If a link has too many routes, its oldest one is removed.
func (r *routes) set(id wire.RequestID, link *network.ClientLink) {
	s := sessionOf(id)
	r.mu.Lock()
	defer r.mu.Unlock()
	held := r.links[s]
	if held == link || held != nil && held.Key() == s.Client && link.Key() != s.Client {
		return
	}
	r.links[s] = link
	list := append(r.byLink[link], s)
	if len(list) > maxRoutesPerLink {
		if r.links[list[0]] == link {
			delete(r.links, list[0])
		}
		list = list[1:]
	}
	r.byLink[link] = list
}

// find returns the link of a session, or nil.
func (r *routes) find(id wire.RequestID) *network.ClientLink {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.links[sessionOf(id)]
}

// gone forgets a link.
func (r *routes) gone(link *network.ClientLink) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.byLink[link] {
		if r.links[s] == link {
			delete(r.links, s)
		}
	}
	delete(r.byLink, link)
}
