package explore

import (
	"reflect"

	"tagma/pbft"
	"tagma/pbft/msglog"
	"tagma/pbft/wire"
)

// special writes a table of which the core reads only a part. It reports whether the field is such a table. The part
// that the core does not read any more is left out, so that two states that differ only there count as one.
func (w *walker) special(field string, of, v reflect.Value) bool {
	switch field {
	case "Slot.Prepares": // prepares of the current view count; those of a lower view are overwritten or refused
		for _, vote := range *read[[]msglog.Vote](v) {
			w.vote(&vote, vote.View >= w.at.View)
		}
	case "Slot.Commits": // once the slot is certified, commits are read only to be sent again
		for _, vote := range *read[[]msglog.Vote](v) {
			w.vote(&vote, read[msglog.Slot](of).Cert == nil)
		}
	case "suspicion.highest": // a Suspect of a view below the current one justifies nothing any more
		for _, s := range *read[msglog.Suspects](v) {
			w.seenIn(s.View, s.Sig != wire.Signature{} && s.View >= w.at.View)
		}
	case "change.votes": // in full for the primary that collects them; for others only whether they are there
		for by, vc := range *read[[]*wire.ViewChange](v) {
			w.viewChange(wire.ReplicaID(by), vc)
		}
	case "Replica.memories": // without signatures and digests; the core reads them only to answer amnesiac replicas
		for i := range v.Len() {
			if w.forgets[i] {
				w.number(v.Index(i).FieldByName("checkpoint").FieldByName("Seq").Uint())
				w.number(v.Index(i).FieldByName("viewChange").FieldByName("View").Uint())
			}
		}
	default:
		return false
	}
	return true
}

// empty reports whether a slot holds nothing that the core can still read.
func (w *walker) empty(s *msglog.Slot) bool {
	return s.Seq == 0 || w.what == whatStays && s.Prepared == nil && s.Cert == nil && s.Waiting == nil
}

// seenIn writes the view of a statement, or 0 if the statement does not count.
func (w *walker) seenIn(v wire.View, counts bool) {
	if counts {
		w.number(uint64(v) + 1)
	} else {
		w.number(0)
	}
}

func (w *walker) vote(v *msglog.Vote, counts bool) {
	counts = counts && v.Cast
	if w.seenIn(v.View, counts); counts {
		w.buf = append(w.buf, v.Digest[:]...)
	}
}

func (w *walker) viewChange(by wire.ReplicaID, vc *wire.ViewChange) {
	own := by == w.self // the core sends its own view change again, and puts it into its own NewView
	if vc == nil || !own && (vc.View < w.at.View || w.at.Active && vc.View == w.at.View) {
		w.number(0)
	} else if !own && w.at.View%wire.View(w.n) != wire.View(w.self) {
		w.number(uint64(vc.View) + 2)
	} else {
		w.number(1)
		w.value(reflect.ValueOf(vc).Elem())
	}
}

// slotState is what a replica holds for one sequence number.
type slotState struct {
	accepted   value // of the current view
	commitSent bool
	certified  value
	lacksBody  value // the value that was accepted or certified without its body
	prepare    proof // the replica's own prepare in this life that the core counts
	commit     proof
}

// slotsOf reads the slots of a core by reflection, because the core does not export its log, and should not do so only
// for this search.
func (n *node) slotsOf() (found [maxSlots]slotState) {
	log := *read[*msglog.Window](reflect.ValueOf(n.core).Elem().FieldByName("log"))
	for i := range n.w.slots {
		seq := wire.Seq(i + 1)
		s := log.Peek(n.w.base + seq)
		if s == nil {
			continue
		}
		st := &found[i]
		if own := s.Prepares[n.cfg.Self]; own.Cast {
			st.prepare = proof{own.View, n.w.valueOf(seq, own.Digest)}
		}
		if own := s.Commits[n.cfg.Self]; own.Cast {
			st.commit = proof{own.View, n.w.valueOf(seq, own.Digest)}
		}
		st.commitSent = s.CommitSent
		if s.Accepted {
			st.accepted = n.w.valueOf(seq, s.Digest)
		}
		if s.Cert != nil {
			st.certified = n.w.valueOf(seq, s.Cert.Digest)
		}
		for _, v := range []value{st.accepted, st.certified} {
			if v != none && s.Body(n.w.digest(seq, v)) == nil {
				st.lacksBody = v
			}
		}
	}
	return found
}

// asksIn reports whether a core has sent its view change for its view.
func asksIn(r *pbft.Replica) bool {
	return reflect.ValueOf(r).Elem().FieldByName("change").FieldByName("sent").Bool()
}
