package explore

import (
	"reflect"

	"tagma/pbft"
	"tagma/pbft/wire"
)

// special writes the tables of votes, of which the core reads a part only: what it no longer reads must not tell two
// states apart. It reports whether the field was one of them.
func (w *walker) special(field string, of, v reflect.Value) bool {
	switch field {
	case "Slot.Prepares": // those of the current view count; a lower one is overwritten or refused
		for i := range v.Len() {
			w.vote(v.Index(i), v.Index(i).FieldByName("View").Uint() >= w.view)
		}
	case "Slot.Commits": // none is read once the slot is certified, but to be sent again
		for i := range v.Len() {
			w.vote(v.Index(i), of.FieldByName("Cert").IsNil())
		}
	case "suspicion.highest": // one below the current view justifies nothing more
		for i := range v.Len() {
			s := v.Index(i)
			if view := s.FieldByName("View").Uint(); !s.FieldByName("Sig").IsZero() && view >= w.view {
				w.number(view + 1)
			} else {
				w.number(0)
			}
		}
	case "change.votes": // what a primary collects for its new view; of others' only whether they are there
		for i := range v.Len() {
			w.viewChange(i, v.Index(i))
		}
	case "Replica.memories": // signatures and digests aside; without a question nothing depends on them
		for i := range v.Len() {
			if !w.forgets[i] {
				continue
			}
			w.number(v.Index(i).FieldByName("checkpoint").FieldByName("Seq").Uint())
			w.number(v.Index(i).FieldByName("viewChange").FieldByName("View").Uint())
		}
	default:
		return false
	}
	return true
}

// empty reports whether nothing of a slot counts.
func (w *walker) empty(slot reflect.Value) bool {
	if slot.FieldByName("Seq").Uint() == 0 {
		return true
	}
	return w.what == whatStays && slot.FieldByName("Prepared").IsNil() && slot.FieldByName("Cert").IsNil() &&
		slot.FieldByName("Waiting").IsNil()
}

func (w *walker) vote(v reflect.Value, counts bool) {
	if !counts || !v.FieldByName("Cast").Bool() {
		w.number(0)
		return
	}
	w.number(v.FieldByName("View").Uint() + 1)
	w.value(v.FieldByName("Digest"))
}

func (w *walker) viewChange(by int, v reflect.Value) {
	switch {
	case v.IsNil():
		w.number(0)
		return
	case uint64(by) == w.self: // sent again, and part of the own new view
	case v.Elem().FieldByName("View").Uint() < w.view, w.act && v.Elem().FieldByName("View").Uint() == w.view:
		w.number(0)
		return
	case w.view%replicas != w.self:
		w.number(v.Elem().FieldByName("View").Uint() + 2)
		return
	}
	w.number(1)
	w.value(v.Elem())
}

// slotState is what a replica holds for one sequence number.
type slotState struct {
	accepted   value // of the current view
	commitSent bool
	certified  value
	lacksBody  value // accepted or certified without its body
	prepare    proof // the own one that the core counts, of this life
	commit     proof
}

// slotsOf reads the slots of a core. Pool, log and timers have no exported face, and none is wanted for this alone.
func (w *world) slotsOf(r *pbft.Replica) (found [maxSlots]slotState) {
	ring := reflect.ValueOf(r).Elem().FieldByName("log").Elem().FieldByName("Ring")
	for i := range w.slots {
		seq, at := wire.Seq(i+1), int(w.base)+i+1
		s := ring.Index(at % ring.Len())
		if s.FieldByName("Seq").Uint() != uint64(at) {
			continue
		}
		st := &found[i]
		st.prepare, st.commit = w.ownVote(r, seq, s.FieldByName("Prepares")), w.ownVote(r, seq, s.FieldByName("Commits"))
		st.commitSent = s.FieldByName("CommitSent").Bool()
		if s.FieldByName("Accepted").Bool() {
			st.accepted = w.valueOf(seq, digestIn(s.FieldByName("Digest")))
		}
		if cert := s.FieldByName("Cert"); !cert.IsNil() {
			st.certified = w.valueOf(seq, digestIn(cert.Elem().FieldByName("Digest")))
		}
		held := map[value]bool{none: true, null: true}
		bodies := s.FieldByName("Bodies")
		for i := range bodies.Len() {
			held[w.valueOf(seq, w.bodyDigest(seq, bodies.Index(i)))] = true
		}
		for _, v := range []value{st.accepted, st.certified} {
			if !held[v] {
				st.lacksBody = v
			}
		}
	}
	return found
}

// ownVote reads a replica's own entry in a table of votes.
func (w *world) ownVote(r *pbft.Replica, seq wire.Seq, votes reflect.Value) proof {
	self := reflect.ValueOf(r).Elem().FieldByName("cfg").Elem().FieldByName("Self").Uint()
	if own := votes.Index(int(self)); own.FieldByName("Cast").Bool() {
		return proof{wire.View(own.FieldByName("View").Uint()), w.valueOf(seq, digestIn(own.FieldByName("Digest")))}
	}
	return proof{}
}

func digestIn(v reflect.Value) (d wire.Digest) {
	for i := range d {
		d[i] = byte(v.Index(i).Uint())
	}
	return d
}

// bodyDigest recognises a body by its time and its request's number: reflection reads, but does not call.
func (w *world) bodyDigest(seq wire.Seq, body reflect.Value) wire.Digest {
	b := body.Elem()
	for v := first; v <= fourth; v++ {
		have := w.bodies[seq][v]
		if have.Time == b.FieldByName("Time").Int() &&
			have.Requests[0].ID.T == b.FieldByName("Requests").Index(0).Elem().FieldByName("ID").FieldByName("T").Uint() {
			return have.Digest()
		}
	}
	return wire.Digest{}
}
