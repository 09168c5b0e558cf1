package session

import (
	"slices"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// hearChanges makes a statement ready to be compared: events get the digest by which replicas without them speak.
func hearChanges(m *wire.Changes) {
	for i := range m.Items {
		if item := &m.Items[i]; len(item.Events) > 0 {
			item.Digest = wire.DigestChange(item)
		}
	}
}

// changed takes a replica's statement.
func (s *Session) changed(from int, m *wire.Changes) {
	f := s.watches.by[m.ID]
	if f == nil || f.replica != from || f.stand == standLies {
		return
	}
	f.heard = s.now
	switch m.Outcome {
	case wire.ChangesTold:
		s.toldChanges(f, m)
	case wire.ChangesCompacted:
		f.stand, f.oldest = standCompacted, m.Upto
	case wire.ChangesRefused:
		f.stand = standRefuses
	case wire.ChangesUnknown:
		f.stand = standUnknown
	}
	s.settleWatch(f.w)
	s.sendCredit()
}

func (s *Session) toldChanges(f *follower, m *wire.Changes) {
	f.stand, f.wait = standTells, watchAgain
	last := watchFrame{upto: m.Upto, bytes: m.Size()}
	f.received += uint64(last.bytes)
	if !f.follows(m) || f.received-f.taken > watchFlood {
		s.catch(f)
		return
	}
	f.upto = max(f.upto, m.Upto)
	if n := len(m.Items); n > 0 {
		item := &m.Items[n-1]
		last.rev, last.part = item.Revision, item.Part
		if item.More { // not everything of its last revision is told
			f.upto = item.Revision - 1
		}
	}
	f.items, f.frames = append(f.items, m.Items...), append(f.frames, last)
}

// follows reports whether a statement continues what the replica said before.
func (f *follower) follows(m *wire.Changes) bool {
	if m.Upto < f.upto {
		return false
	}
	if len(m.Items) == 0 {
		return true
	}
	first := &m.Items[0]
	if n := len(f.items); n > 0 && f.items[n-1].More {
		last := &f.items[n-1]
		return first.Revision == last.Revision && first.Part == last.Part+1
	}
	return first.Revision > f.upto
}

// progressed takes a replica's statement that nothing was changed for several watches.
func (s *Session) progressed(from int, m *wire.Progress) {
	for _, id := range m.IDs {
		f := s.watches.by[id]
		if f == nil || f.replica != from || f.stand != standTells && f.stand != standAsked {
			continue
		}
		f.stand, f.heard, f.wait = standTells, s.now, watchAgain
		f.upto = max(f.upto, m.Upto)
		s.settleWatch(f.w)
	}
	s.sendCredit()
}

// catch drops a replica that contradicts f+1 others, or the protocol.
func (s *Session) catch(f *follower) {
	f.stand, f.items, f.frames = standLies, nil, nil
	s.unsubscribe(f)
	if w := f.w; w.whole == f.replica {
		w.stalled = max(s.now-watchStall, 1)
	}
}

// next is the first change that the replica tells beyond what is accepted.
func (f *follower) next() (*wire.ChangeItem, bool) {
	for len(f.items) > 0 && f.w.accepted(f.items[0].Revision, f.items[0].Part) {
		f.items = f.items[1:]
	}
	if len(f.items) == 0 {
		return nil, false
	}
	return &f.items[0], true
}

// accepted reports whether a part of a revision is settled.
func (w *Watch) accepted(rev uint64, part uint32) bool {
	return rev <= w.at || rev == w.open && part < w.parts
}

// clear is how far the replica says that nothing follows what is accepted.
func (f *follower) clear() uint64 {
	if item, has := f.next(); has {
		return item.Revision - 1
	}
	return f.upto
}

// settleWatch accepts whatever f+1 replicas say alike.
func (s *Session) settleWatch(w *Watch) {
	if w.ended != nil {
		return
	}
	before := w.at
	for s.acceptItem(w) || s.acceptProgress(w) {
	}
	if n := len(w.ready); w.at > before && (n == 0 || w.ready[n-1].Revision < w.at) {
		w.note(statemachine.Update{Revision: w.at})
	}
	if why := s.whyEnd(w); why != nil {
		s.endWatch(w, why)
		return
	}
	if w.bytes <= watchBacklog {
		s.credit(w)
	}
	if w.at > before {
		w.told()
	}
}

// note adds an update for the caller. A notice of progress replaces one that is still there.
func (w *Watch) note(u statemachine.Update) {
	if n := len(w.ready); n > 0 && len(w.ready[n-1].Events) == 0 {
		w.ready = w.ready[:n-1]
	}
	w.ready = append(w.ready, u)
}

// acceptItem accepts the next change if f+1 replicas say that it is the next, and one of them sent it.
func (s *Session) acceptItem(w *Watch) bool {
	item, votes := s.agreed(w)
	if votes < s.cfg.Weak {
		w.stalled = 0
		return false
	}
	for _, f := range w.followers {
		if own, has := f.next(); has && own.Digest == item.Digest && len(own.Events) > 0 {
			s.accept(w, own)
			return true
		}
	}
	if w.stalled == 0 {
		w.stalled = max(s.now, 1)
	}
	return false
}

// agreed returns the change that most replicas say is the next.
func (s *Session) agreed(w *Watch) (best *wire.ChangeItem, most int) {
	for _, f := range w.followers {
		item, has := f.next()
		if !has {
			continue
		}
		votes := 0
		for _, o := range w.followers {
			if other, has := o.next(); has && other.Digest == item.Digest {
				votes++
			}
		}
		if votes > most {
			best, most = item, votes
		}
	}
	return best, most
}

func (s *Session) accept(w *Watch, item *wire.ChangeItem) {
	w.stalled = 0
	for _, f := range w.followers { // a replica that says anything else lies
		own, has := f.next()
		if f.stand != standLies && (has && own.Digest != item.Digest || !has && f.upto >= item.Revision) {
			s.catch(f)
		}
	}
	w.pending = append(w.pending, item.Events...)
	w.bytes += item.Size()
	if item.More {
		w.open, w.parts = item.Revision, item.Part+1
		return
	}
	w.note(statemachine.Update{Revision: item.Revision, Events: w.pending})
	w.at, w.open, w.parts, w.pending = item.Revision, 0, 0, nil
}

// acceptProgress moves on to the revision up to which f+1 replicas say that nothing follows.
func (s *Session) acceptProgress(w *Watch) bool {
	if w.open != 0 {
		return false
	}
	clear := make([]uint64, 0, len(w.followers))
	for _, f := range w.followers {
		if f.stand == standTells || f.stand == standCompacted {
			clear = append(clear, f.clear())
		}
	}
	if len(clear) < s.cfg.Weak {
		return false
	}
	slices.Sort(clear)
	upto := clear[len(clear)-s.cfg.Weak]
	if upto <= w.at {
		return false
	}
	for _, f := range w.followers {
		if own, has := f.next(); has && own.Revision <= upto {
			s.catch(f)
		}
	}
	w.at = upto
	return true
}

// whyEnd returns why f+1 replicas cannot go on: of them one at least is correct.
func (s *Session) whyEnd(w *Watch) error {
	refuse, unknown, oldest := 0, 0, []uint64(nil)
	for _, f := range w.followers {
		switch f.stand {
		case standRefuses:
			refuse++
		case standUnknown:
			unknown++
		case standCompacted:
			if _, has := f.next(); !has && f.oldest > w.at {
				oldest = append(oldest, f.oldest)
			}
		default: // it goes on
		}
	}
	switch {
	case len(oldest) >= s.cfg.Weak:
		slices.Sort(oldest)
		return &statemachine.Compacted{Oldest: oldest[len(oldest)-s.cfg.Weak]}
	case refuse >= s.cfg.Weak:
		return ErrManyWatches
	case unknown >= s.cfg.Weak:
		return ErrNotFollowed
	}
	return nil
}

// credit notes for each replica what was taken of its frames, if that is worth a message.
func (s *Session) credit(w *Watch) {
	for _, f := range w.followers {
		for len(f.frames) > 0 && w.took(&f.frames[0]) {
			f.taken += uint64(f.frames[0].bytes)
			f.frames = f.frames[1:]
		}
		if f.stand == standTells && f.taken-f.credited >= wire.WatchWindow/4 {
			f.credited = f.taken
			s.watches.credit[f.replica] = append(s.watches.credit[f.replica], wire.Taken{ID: f.id, Bytes: f.taken})
		}
	}
}

func (w *Watch) took(f *watchFrame) bool {
	return w.at >= f.upto || w.open != 0 && f.rev == w.open && f.part < w.parts
}
