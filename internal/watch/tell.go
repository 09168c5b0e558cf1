package watch

import (
	"sort"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// gathered collects the changes of a range as items.
type gathered struct {
	items []wire.ChangeItem
	short []wire.ChangeItem // the same with digests; made at the first use
	bytes int
	part  int // bytes of the last item
}

// add adds a change. Changes of one revision go into one item, or into several if they are many.
func (g *gathered) add(c *statemachine.Change) {
	n := len(g.items)
	same := n > 0 && g.items[n-1].Revision == c.Revision
	switch {
	case same && (g.part >= partBytes || len(g.items[n-1].Events) >= partEvents):
		g.items[n-1].More = true
		g.items = append(g.items, wire.ChangeItem{Revision: c.Revision, Part: g.items[n-1].Part + 1})
		g.part = 0
	case !same:
		g.items = append(g.items, wire.ChangeItem{Revision: c.Revision})
		g.part = 0
	}
	last := &g.items[len(g.items)-1]
	last.Events = append(last.Events, c.Event)
	g.part += len(c.Event)
	g.bytes += len(c.Event)
}

// of returns the items for a watch, whole or as digests.
func (g *gathered) of(whole bool) []wire.ChangeItem {
	if whole {
		return g.items
	}
	if g.short == nil {
		g.short = make([]wire.ChangeItem, len(g.items))
		for i := range g.items {
			item := &g.items[i]
			g.short[i] = wire.ChangeItem{Revision: item.Revision, Part: item.Part, More: item.More, Digest: wire.DigestChange(item)}
		}
	}
	return g.short
}

// tell states that after the watch's cursor exactly these changes were made up to a revision. It returns false if not all
// of it could be sent; cursor, open and parts then say what was.
func (h *Hub[L]) tell(s *sub[L], g *gathered, upto uint64) bool {
	items := g.of(s.whole)
	for len(items) > 0 && (items[0].Revision <= s.cursor || items[0].Revision == s.open && items[0].Part < s.parts) {
		items = items[1:]
	}
	for {
		n, size := 0, 0
		for n < len(items) && size < frameBytes {
			size += items[n].Size()
			n++
		}
		m := &wire.Changes{ID: s.id, Outcome: wire.ChangesTold, Upto: upto, Items: items[:n]}
		if n < len(items) {
			m.Upto = items[n-1].Revision
		}
		if s.sent-s.taken >= wire.WatchWindow {
			return false
		}
		frame := wire.Encode(m)
		if !s.link.Send(frame) {
			return false
		}
		s.sent += uint64(len(frame))
		for i := range m.Items {
			h.told += uint64(len(m.Items[i].Events))
		}
		s.cursor, s.open, s.parts = m.Upto, 0, 0
		if n > 0 && items[n-1].More {
			s.cursor, s.open, s.parts = items[n-1].Revision-1, items[n-1].Revision, items[n-1].Part+1
		}
		if items = items[n:]; len(items) == 0 {
			return true
		}
	}
}

// CatchUp tells watches that are behind a part of what they miss: from the window as far as it reaches, else from the
// history in the state. More says that another one can be of use at once; else it is after the next Step, or after the
// next Taken.
func (h *Hub[L]) CatchUp() (more bool, err error) {
	if !h.begun {
		return false, nil
	}
	var far []*sub[L]
	turns := h.behind
	h.behind = nil
	for _, s := range turns {
		s.waiting = false
		switch {
		case s.gone:
		case !h.kept:
			h.stop(s, wire.ChangesUnknown, 0)
			if !s.gone {
				h.lag(s)
			}
		case s.sent-s.taken >= wire.WatchWindow:
			h.lag(s)
		case s.cursor < h.after && len(far) < roundWatches:
			far = append(far, s)
		case s.cursor < h.after:
			h.lag(s)
			more = true
		default:
			more = h.fromWindow(s) || more
		}
	}
	if len(far) == 0 {
		return more, nil
	}
	again, err := h.fromHistory(far)
	return more || again, err
}

// fromWindow tells a watch what the window has for it.
func (h *Hub[L]) fromWindow(s *sub[L]) (more bool) {
	if s.cursor > h.head {
		h.lag(s) // the client is ahead of this replica
		return false
	}
	first := sort.Search(len(h.window), func(i int) bool { return h.window[i].Revision > s.cursor })
	g, upto := new(gathered), h.head
	for i := first; i < len(h.window); i++ {
		c := &h.window[i]
		if g.bytes >= sliceBytes && c.Revision > h.window[i-1].Revision {
			upto, more = h.window[i-1].Revision, true
			break
		}
		if s.group.spans(c.Key) {
			g.add(c)
		}
	}
	if h.tell(s, g, upto) && !more {
		s.live = true
		return false
	}
	sent := s.cursor >= upto
	h.lag(s)
	return more && sent
}

// fromHistory tells watches what the state has for them.
func (h *Hub[L]) fromHistory(far []*sub[L]) (more bool, err error) {
	err = h.follow(func(r statemachine.Reader, m statemachine.Followed) {
		newest, oldest, kept := m.Head(r)
		for _, s := range far {
			switch {
			case !kept:
				h.stop(s, wire.ChangesUnknown, 0)
			case s.cursor < oldest:
				h.stop(s, wire.ChangesCompacted, oldest)
			case s.cursor < newest:
				g, upto := h.slice(s, m, r, newest)
				more = h.tell(s, g, upto) || more
			}
		}
	})
	for _, s := range far {
		if !s.gone {
			h.lag(s)
		}
	}
	return more, err
}

// slice reads what a watch is told next of the changes after its cursor.
func (h *Hub[L]) slice(s *sub[L], m statemachine.Followed, r statemachine.Reader, newest uint64) (g *gathered, upto uint64) {
	g = new(gathered)
	seen, last := 0, s.cursor
	for c := range m.Changes(r, s.cursor) {
		if c.Revision > last && (seen >= sliceChanges || g.bytes >= sliceBytes) {
			return g, last
		}
		last = c.Revision
		if seen++; s.group.spans(c.Key) {
			g.add(&c)
		}
	}
	return g, newest
}
