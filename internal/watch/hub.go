// Package watch tells clients what was changed: the replica's end of watches. A Hub reads each executed state's changes
// once, finds the watches that they match, and states them in order. It holds no queue for a watch, only how far the
// watch was told: a slow client is told the rest later, from the history in the state, or that the history is compacted.
//
// The package has no goroutine, no lock and no clock, so that the simulator runs the same code as a node. It must not be
// given a state that is not committed.
package watch

import (
	"cmp"
	"maps"
	"slices"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Link is the connection of a client.
type Link interface {
	comparable
	// Send queues a frame without blocking, and reports whether it was queued.
	Send(frame []byte) bool
	// Key is the client's public key.
	Key() [32]byte
}

// Limits bound the watches that a replica holds.
type Limits struct {
	All       int // of all clients
	PerClient int // of one public key
}

// Bounds of one step, so that no step takes long.
const (
	windowBytes  = 8 << 20   // of the newest changes, which are kept in memory
	stepBytes    = 4 << 20   // of changes that one Step reads
	frameBytes   = 256 << 10 // of a frame, from which on it is sent
	sliceBytes   = 512 << 10 // of events that a watch behind is told at once
	sliceChanges = 20_000    // that are looked at for it at once
	roundWatches = 8         // behind the window that one CatchUp serves

	partBytes  = 128 << 10 // of a part of a revision, from which on the next part begins; every replica cuts alike
	partEvents = 1024
)

// Hub holds the watches of a replica's clients. Only one goroutine at a time may use it.
type Hub[L Link] struct {
	limits Limits
	follow func(look func(statemachine.Reader, statemachine.Followed)) error
	links  map[L]map[uint64]*sub[L]
	keys   map[[32]byte]int
	count  int
	index  index[L]
	behind []*sub[L] // in the order of their turns

	begun  bool   // head is known, and the window follows it
	head   uint64 // all changes up to here are in the window or below it
	kept   bool   // the state tells changes
	window []statemachine.Change
	after  uint64 // the window has all changes above this revision
	bytes  int    // of the window

	last          uint64 // number given last
	refused, told uint64
}

// sub is one watch.
type sub[L Link] struct {
	number  uint64 // of the watch at this replica
	id      uint64
	link    L
	group   *group[L]
	whole   bool
	live    bool   // it was told everything up to head
	cursor  uint64 // if it is not live: it was told everything up to here
	open    uint64 // a revision of which it was told so many parts; 0: none
	parts   uint32
	sent    uint64 // bytes
	taken   uint64
	waiting bool // it is in behind
	gone    bool
}

// New returns a Hub. Follow calls look with the newest executed state.
func New[L Link](limits Limits, follow func(look func(statemachine.Reader, statemachine.Followed)) error) *Hub[L] {
	return &Hub[L]{limits: limits, follow: follow, links: make(map[L]map[uint64]*sub[L]), keys: make(map[[32]byte]int), index: newIndex[L]()}
}

// Watches is the number of watches.
func (h *Hub[L]) Watches() int { return h.count }

// Behind is the number of watches that were not told everything yet.
func (h *Hub[L]) Behind() int { return len(h.behind) }

// Counts returns how many watches were refused for lack of room, and how many changes were told, one for each watch.
func (h *Hub[L]) Counts() (refused, told uint64) { return h.refused, h.told }

// Watch begins a watch.
func (h *Hub[L]) Watch(l L, m *wire.Watch) {
	if old := h.links[l][m.ID]; old != nil {
		h.end(old)
	}
	if h.count >= h.limits.All || h.keys[l.Key()] >= h.limits.PerClient {
		h.refused++
		l.Send(wire.Encode(&wire.Changes{ID: m.ID, Outcome: wire.ChangesRefused}))
		return
	}
	h.last++
	s := &sub[L]{number: h.last, id: m.ID, link: l, whole: m.Whole, cursor: m.After, group: h.index.group(m.Start, m.End)}
	s.group.subs[s] = struct{}{}
	if h.links[l] == nil {
		h.links[l] = make(map[uint64]*sub[L])
	}
	h.links[l][m.ID] = s
	h.keys[l.Key()]++
	h.count++
	h.lag(s)
}

// Taken notes what a client has taken, and ends the watches that it ends.
func (h *Hub[L]) Taken(l L, m *wire.WatchTaken) {
	for _, t := range m.Taken {
		s := h.links[l][t.ID]
		switch {
		case s == nil:
		case t.Bytes == wire.WatchEnd:
			h.end(s)
		default:
			s.taken = max(s.taken, min(t.Bytes, s.sent))
		}
	}
}

// Gone ends the watches of a link.
func (h *Hub[L]) Gone(l L) {
	for _, s := range h.links[l] {
		h.end(s)
	}
}

func (h *Hub[L]) end(s *sub[L]) {
	s.gone = true
	delete(h.links[s.link], s.id)
	if len(h.links[s.link]) == 0 {
		delete(h.links, s.link)
	}
	if h.keys[s.link.Key()]--; h.keys[s.link.Key()] == 0 {
		delete(h.keys, s.link.Key())
	}
	delete(s.group.subs, s)
	if len(s.group.subs) == 0 {
		h.index.drop(s.group)
	}
	if h.count--; h.count == 0 {
		h.begun, h.window, h.bytes, h.behind = false, nil, 0, nil
	}
}

// stop ends a watch and says why.
func (h *Hub[L]) stop(s *sub[L], why wire.ChangesOutcome, upto uint64) {
	if s.link.Send(wire.Encode(&wire.Changes{ID: s.id, Outcome: why, Upto: upto})) {
		h.end(s)
	}
}

// lag puts a watch among those that are behind.
func (h *Hub[L]) lag(s *sub[L]) {
	s.live = false
	if !s.waiting {
		s.waiting = true
		h.behind = append(h.behind, s)
	}
}

// Progress tells every client up to which revision its watches were told everything.
func (h *Hub[L]) Progress() {
	if !h.begun {
		return
	}
	ids := make(map[L][]uint64)
	var links []L // in a fixed order
	for _, s := range h.all() {
		if !s.live && (s.cursor < h.head || s.open != 0) {
			continue
		}
		if ids[s.link] == nil {
			links = append(links, s.link)
		}
		ids[s.link] = append(ids[s.link], s.id)
	}
	for _, l := range links {
		slices.Sort(ids[l])
		l.Send(wire.Encode(&wire.Progress{Upto: h.head, IDs: ids[l]}))
	}
}

// all lists the watches by their numbers.
func (h *Hub[L]) all() []*sub[L] {
	all := make([]*sub[L], 0, h.count)
	for _, subs := range h.links {
		all = slices.AppendSeq(all, maps.Values(subs))
	}
	slices.SortFunc(all, byNumber)
	return all
}

func byNumber[L Link](a, b *sub[L]) int { return cmp.Compare(a.number, b.number) }

// Step tells what was changed since the last Step. More says that there is more to tell, and another Step is due at once.
// It need not be called while there are no watches.
func (h *Hub[L]) Step() (more bool, err error) {
	if h.count == 0 {
		return false, nil
	}
	from, first := h.head, len(h.window)
	err = h.follow(func(r statemachine.Reader, m statemachine.Followed) {
		newest, oldest, kept := m.Head(r)
		h.kept = kept
		if !h.begun || h.head < oldest { // nobody was told anything yet, or everybody is behind what is kept
			h.begun, h.head, h.after, h.window, h.bytes = true, newest, newest, nil, 0
			from, first = newest, 0
			for _, s := range h.all() {
				if s.live {
					s.cursor = from
				}
				h.lag(s)
			}
			return
		}
		if newest > h.head {
			more = h.read(r, m, newest)
		}
	})
	if err != nil || h.head == from {
		return false, err
	}
	h.dispatch(from, h.window[first:])
	h.shrink()
	return more, nil
}

// read appends the changes above head to the window, whole revisions of them.
func (h *Hub[L]) read(r statemachine.Reader, m statemachine.Followed, newest uint64) (more bool) {
	read, last := 0, h.head
	for c := range m.Changes(r, h.head) {
		if c.Revision > last && read >= stepBytes {
			h.head = last
			return true
		}
		last = c.Revision
		size := len(c.Key) + len(c.Event)
		read, h.bytes = read+size, h.bytes+size
		c.Key = slices.Clone(c.Key) // what it refers to ends with the look
		h.window = append(h.window, c)
	}
	h.head = newest
	return false
}

// shrink forgets the oldest changes in the window, whole revisions of them.
func (h *Hub[L]) shrink() {
	n := 0
	for n < len(h.window) && h.bytes > windowBytes {
		for h.after = h.window[n].Revision; n < len(h.window) && h.window[n].Revision == h.after; n++ {
			h.bytes -= len(h.window[n].Key) + len(h.window[n].Event)
		}
	}
	h.window = slices.Delete(h.window, 0, n)
}

// dispatch tells the watches that are not behind the changes after from.
func (h *Hub[L]) dispatch(from uint64, changes []statemachine.Change) {
	touched := make(map[*group[L]]*gathered)
	for i := range changes {
		c := &changes[i]
		h.index.match(c.Key, func(g *group[L]) {
			if touched[g] == nil {
				touched[g] = new(gathered)
			}
			touched[g].add(c)
		})
	}
	for _, g := range slices.SortedFunc(maps.Keys(touched), func(a, b *group[L]) int { return cmp.Compare(a.number, b.number) }) {
		items := touched[g]
		for _, s := range g.ordered() {
			if !s.live {
				continue
			}
			s.cursor = from
			if !h.tell(s, items, h.head) {
				h.lag(s)
			}
		}
	}
}
