package check

import (
	"tagma/pbft/wire"
)

// walk checks I6, I7, I8 and I16 along a journal.
func (in *reading) walk(rec wire.Record) {
	behind := in.behind
	in.behind = nothing
	if _, recovering := rec.(*wire.Recovering); behind == aHead && recovering {
		in.behind, behind = aHead, nothing
	} else if _, tells := rec.(*wire.Stable); behind == aHead && tells {
		in.behind = aWatermark
	} else if behind == aHead && in.before > 0 {
		in.m.fail(i6, in.id, "the low watermark of replica %d falls from %d to 0", in.id, in.before)
	}
	switch r := rec.(type) {
	case *wire.Head:
		in.whole()
		in.behind, in.before, in.since = aHead, in.low, in.view
		in.enters(r.View, "begins a segment in")
	case *wire.Stable:
		in.marks(r.Cert.Seq, behind == aHead)
	case *wire.Installed:
		in.installs(&r.Cert)
	case *wire.Accepted:
		in.accepted(r.PrePrepare)
	case *wire.Fetched:
		in.hold(r.Seq, r.Body)
	case *wire.Activated:
		in.enters(r.NewView.View, "activates")
		in.low = max(in.low, highestStable(r.NewView).Seq)
	case *wire.Certified:
		in.hold(r.Cert.Seq, r.Body)
		in.executed(r.Cert.Seq, r.Cert.Digest)
	case *wire.Committed:
		in.executed(r.Cert.Seq, r.Cert.Digest)
	case *wire.Sent:
		switch m := r.Msg.(type) {
		case *wire.PrePrepare:
			in.accepted(m)
		case *wire.ViewChange:
			if in.viewChanges[m.View] == nil && behind == nothing {
				in.enters(m.View, "asks for")
			}
			in.view = max(in.view, m.View) // an anchor may repeat the one before the last
		case *wire.Checkpoint:
			in.announced = max(in.announced, m.Seq)
		case *wire.NewView:
			in.low = max(in.low, highestStable(m).Seq)
		default: // I2's matter
		}
	case *wire.Prepared, *wire.Recovering, *wire.Witness: // counted by again, judged by life, and about others
	}
}

// enters is I7: no record of a lower view is younger than one of a higher view.
func (in *reading) enters(v wire.View, how string) {
	in.m.checked(i7)
	if v < in.since {
		in.m.fail(i7, in.id, "replica %d %s view %d after view %d", in.id, how, v, in.since)
	}
	in.view = max(in.view, v)
}

// whole is I8 where a segment ends: everything below the last checkpoint that the replica announced was executed. What lies
// above may have been executed and not be written yet.
func (in *reading) whole() {
	if len(in.missing) == 0 {
		return
	}
	least := in.top
	for left := range in.missing {
		least = min(least, left)
	}
	if least <= in.announced {
		in.m.fail(i8, in.id, "replica %d left out %d, and announced the state after %d", in.id, least, in.announced)
	}
}

// ends is I7 between two readings: a journal does not go back behind what it said before.
func (in *reading) ends() {
	in.whole()
	in.m.checked(i7)
	if in.view < in.once {
		in.m.fail(i7, in.id, "the journal of replica %d ends in view %d, and once said view %d", in.id, in.view, in.once)
	}
}

// marks is I6: the low watermark is at a checkpoint, and where a segment begins it is no lower than anything before said.
// A record of its own is a note, which may be written late.
func (in *reading) marks(seq wire.Seq, anchored bool) {
	in.m.checked(i6)
	if anchored && seq < in.before {
		in.m.fail(i6, in.id, "the low watermark of replica %d falls from %d to %d", in.id, in.before, seq)
	}
	if k := in.m.cfg.CheckpointInterval; k > 0 && seq%k != 0 {
		in.m.fail(i6, in.id, "the low watermark of replica %d is %d, which is no checkpoint", in.id, seq)
	}
	in.low = max(in.low, seq)
}

// accepted is I6: a pre-prepare lies between the watermarks.
func (in *reading) accepted(p *wire.PrePrepare) {
	in.hold(p.Seq, p.Body)
	in.m.checked(i6)
	if p.Seq <= in.before || in.heads > 0 && p.Seq > in.low+in.m.cfg.LogWindow {
		in.m.fail(i6, in.id, "replica %d accepts a pre-prepare for %d, and its low watermark is %d", in.id, p.Seq, in.low)
	}
}

// installs is I13 for a state that was given to the replica: a quorum vouches for it (counted again as I11), and it is the
// one that everybody has. Nothing up to there is to be executed any more.
func (in *reading) installs(cert *wire.StableCert) {
	in.m.checked(i13)
	if s := in.m.order.at(cert.Seq); s != nil && s.state.given && s.state.digest != cert.Digest {
		in.m.fail(i13, in.id, "replica %d was given the state %v after %d, and replica %d has %v",
			in.id, cert.Digest, cert.Seq, s.state.by, s.state.digest)
	}
	in.low, in.top = max(in.low, cert.Seq), max(in.top, cert.Seq)
	for left := range in.missing {
		if left <= cert.Seq {
			delete(in.missing, left)
		}
	}
}

// executed notes an execution. An anchor repeats some, and may tell of one before the records that were written with it
// tell of those below; after a start what lies above the last state is executed again.
func (in *reading) executed(seq wire.Seq, d wire.Digest) {
	delete(in.missing, seq)
	if seq > in.top {
		in.m.checked(i8)
		for left := in.top + 1; in.top > 0 && left < seq; left++ {
			in.missing[left] = true
		}
		in.top = seq
	}
	if in.m.holds == nil || seq <= in.told.looked {
		return
	}
	in.told.looked = seq
	for _, b := range in.told.bodies[seq] {
		if b.Digest() == d {
			in.m.genuine(in.id, seq, b)
			break
		}
	}
	delete(in.told.bodies, seq)
}

// hold keeps a body until its sequence number is executed.
func (in *reading) hold(seq wire.Seq, b *wire.Body) {
	if b != nil && seq > in.told.looked {
		for _, known := range in.told.bodies[seq] {
			if known.Digest() == b.Digest() {
				return
			}
		}
		in.told.bodies[seq] = append(in.told.bodies[seq], b)
	}
}
