package check

import (
	"crypto/sha256"

	"tagma/pbft/wire"
)

// What journals show of replicas that had forgotten what they signed, and of states that were given to them.

// life is I19 for a record: a journal of another life begins with the recovery, which lies above all that earlier ones
// said, and no vote follows that the recovery forbids. When a vote was made is told by the order of the records alone,
// so a stable checkpoint counts from its record on.
func (j *Journals) life(in *reading, rec wire.Record) {
	switch r := rec.(type) {
	case *wire.Head:
		if r.Life == (wire.Life{}) || r.Life == in.life { // one of the first format has no name
			return
		}
		if in.life != (wire.Life{}) {
			in.afresh()
			in.lost = len(in.signed)+len(in.past) > 0
		}
		in.life = r.Life
	case *wire.Recovering:
		if in.silence == nil && !in.lost { // what was read before had no name
			head, behind := in.head, in.behind
			in.afresh()
			in.begin(head)
			in.view, in.since, in.behind = head, head, behind
		}
		j.silences.checked++
		q, why := in.spoken.recovers(r)
		if why != "" {
			j.silences.fail("replica %d recovers %s", in.id, why)
		}
		in.silence, in.lost = &q, false
	case *wire.Accepted:
		in.hears(j.cfg, r.PrePrepare.View, r.PrePrepare.Seq, r.PrePrepare.Digest)
	case *wire.Activated:
		first := highestStable(r.NewView).Seq + 1
		for i := range r.NewView.Proposals {
			in.hears(j.cfg, r.NewView.View, first+wire.Seq(i), r.NewView.Proposals[i].Digest)
		}
	case *wire.Sent:
		j.speaks(in, r.Msg)
	default: // says nothing that recovery forbids
	}
}

// Restored takes that a replica's home was put back from an older copy, of which it need not know: its journal does not
// have to lead on from what was read before. What was said binds it all the same (I2).
func (j *Journals) Restored(id wire.ReplicaID) {
	if v := j.replicas[id]; v != nil {
		newReading(v).afresh()
		v.life, v.lost = wire.Life{}, false
	}
}

// afresh starts the reading of another journal: nothing in it has to lead on from what was read, and what was signed
// stands. Another view change for a view is judged by D8.10.
func (in *reading) afresh() {
	for at, signed := range in.signed {
		if at.kind == wire.TypeViewChange {
			in.past[at.view] = append(in.past[at.view], statement{view: at.view, digest: signed, stable: in.asked[at.view]})
			delete(in.signed, at)
		}
	}
	clear(in.asked)
	clear(in.heard)
	in.moved, in.silence = 0, nil
	*in = *newReading(in.voter)
}

// hears notes a pre-prepare of the replica itself that it has from others: an anchor repeats it as one that was sent.
func (in *reading) hears(cfg *wire.Config, view wire.View, seq wire.Seq, d wire.Digest) {
	if in.silence != nil && view < in.silence.since && cfg.Primary(view) == in.id {
		in.heard[place{wire.TypePrePrepare, view, seq}] = d
	}
}

// repeats reports whether a message is a pre-prepare of an earlier life.
func (in *reading) repeats(cfg *wire.Config, m wire.Message) bool {
	p, is := m.(*wire.PrePrepare)
	if !is {
		return false
	}
	heard, again := in.heard[placeOf(m)]
	signed, before := in.signed[placeOf(m)]
	return again && heard == p.Digest || before && signed == sha256.Sum256(wire.Signable(cfg, m))
}

// speaks is I19 for a vote.
func (j *Journals) speaks(in *reading, m wire.Message) {
	view, forbidden := silences(m)
	if !forbidden || in.silence == nil && !in.lost {
		return
	}
	kind := wire.TypeOf(m)
	if in.lost {
		if _, again := in.signed[placeOf(m)]; !again {
			j.silences.fail("replica %d signs a %v for view %d in another life, and has no recovery", in.id, kind, view)
		}
		return
	}
	if in.repeats(j.cfg, m) {
		return
	}
	j.silences.checked++
	if why := in.silence.breaks(view, in.stable); why != "" {
		j.silences.fail("replica %d signs a %v for view %d %s", in.id, kind, view, why)
	}
}

// says notes how far a statement reaches.
func (in *reading) says(m wire.Message) {
	switch at := placeOf(m); at.kind {
	case wire.TypeCheckpoint:
		in.spoken.announces(at.seq)
	case wire.TypeViewChange:
		in.spoken.asks(at.view)
	default:
		in.spoken.votes(at.view, at.seq)
	}
}

// asksAgain is I2 for a view change, against those that earlier lives made for its view.
func (j *Journals) asksAgain(in *reading, m *wire.ViewChange, signed wire.Digest) {
	in.asked[m.View] = m.Stable.Seq
	for _, s := range in.past[m.View] {
		if apart := max(s.stable, m.Stable.Seq) - min(s.stable, m.Stable.Seq); s.digest != signed && apart < j.cfg.LogWindow {
			j.votes.fail("replica %d signed two different view changes for view %d, with the stable checkpoints %d and %d",
				in.id, m.View, s.stable, m.Stable.Seq)
		}
	}
}

// installed is I13 for a state that was given to the replica: a quorum vouches for it (counted again as I11), and it is
// the one that everybody has.
func (j *Journals) installed(in *reading, cert *wire.StableCert) {
	j.transfers.checked++
	if known, said := j.states[cert.Seq]; said && known.digest != cert.Digest {
		j.transfers.fail("replica %d was given the state %v after %d, and replica %d has %v",
			in.id, cert.Digest, cert.Seq, known.by, known.digest)
	}
	j.state(in, cert.Seq, cert.Digest)
}
