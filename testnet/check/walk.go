package check

import (
	"tagma/pbft/wire"
)

// What one journal says by the order of its records. An anchor tells of the moment at which its segment began, and the
// records behind it may be a little older, so what they say is compared with what stood in earlier segments.

// walk checks I6, I7, I8 and I16 along a journal.
func (j *Journals) walk(in *reading, rec wire.Record) {
	behind := in.behind
	in.behind = nothing
	if _, recovering := rec.(*wire.Recovering); behind == aHead && recovering {
		in.behind, behind = aHead, nothing
	} else if _, tells := rec.(*wire.Stable); behind == aHead && tells {
		in.behind = aWatermark
	} else if behind == aHead && in.before > 0 {
		j.watermarks.fail("the low watermark of replica %d falls from %d to 0", in.id, in.before)
	}
	switch r := rec.(type) {
	case *wire.Head:
		j.whole(in)
		in.behind, in.before, in.since = aHead, in.stable, in.view
		j.enters(in, r.View, "begins a segment in")
	case *wire.Stable:
		j.stable(in, r.Cert.Seq, behind == aHead)
	case *wire.Installed:
		in.install(r.Cert.Seq)
	case *wire.Accepted:
		j.accepted(in, r.PrePrepare)
	case *wire.Fetched:
		in.hold(r.Seq, r.Body)
	case *wire.Activated:
		j.enters(in, r.NewView.View, "activates")
		in.stable = max(in.stable, highestStable(r.NewView).Seq)
	case *wire.Certified:
		in.hold(r.Cert.Seq, r.Body)
		j.executed(in, r.Cert.Seq, r.Cert.Digest)
	case *wire.Committed:
		j.executed(in, r.Cert.Seq, r.Cert.Digest)
	case *wire.Sent:
		switch m := r.Msg.(type) {
		case *wire.PrePrepare:
			j.accepted(in, m)
		case *wire.ViewChange:
			if _, again := in.signed[placeOf(m)]; !again && behind == nothing {
				j.enters(in, m.View, "asks for")
			}
			in.view = max(in.view, m.View) // an anchor may repeat the one before the last
		case *wire.Checkpoint:
			in.announced = max(in.announced, m.Seq)
		case *wire.NewView:
			in.stable = max(in.stable, highestStable(m).Seq)
		default: // I2's matter
		}
	case *wire.Prepared, *wire.Recovering, *wire.Witness: // counted by again, judged by life, and about others
	}
}

// enters is I7: no record of a lower view is younger than one of a higher view.
func (j *Journals) enters(in *reading, v wire.View, how string) {
	j.moves.checked++
	if v < in.since {
		j.moves.fail("replica %d %s view %d after view %d", in.id, how, v, in.since)
	}
	in.view = max(in.view, v)
}

// whole is I8 where a segment ends: everything below the last checkpoint that the replica announced was executed. What lies
// above may have been executed and not be written yet.
func (j *Journals) whole(in *reading) {
	if len(in.missing) == 0 {
		return
	}
	least := in.top
	for left := range in.missing {
		least = min(least, left)
	}
	if least <= in.announced {
		j.contiguity.fail("replica %d left out %d, and announced the state after %d", in.id, least, in.announced)
	}
}

// ends is I7 between two readings: a journal does not go back behind what it said before.
func (j *Journals) ends(in *reading) {
	j.whole(in)
	j.moves.checked++
	if in.view < in.once {
		j.moves.fail("the journal of replica %d ends in view %d, and once said view %d", in.id, in.view, in.once)
	}
}

// stable is I6: the low watermark is at a checkpoint, and where a segment begins it is no lower than anything before said.
// A record of its own is a note, which may be written late.
func (j *Journals) stable(in *reading, seq wire.Seq, anchored bool) {
	j.watermarks.checked++
	if anchored && seq < in.before {
		j.watermarks.fail("the low watermark of replica %d falls from %d to %d", in.id, in.before, seq)
	}
	if k := j.cfg.CheckpointInterval; k > 0 && seq%k != 0 {
		j.watermarks.fail("the low watermark of replica %d is %d, which is no checkpoint", in.id, seq)
	}
	in.stable = max(in.stable, seq)
}

// accepted is I6: a pre-prepare lies between the watermarks.
func (j *Journals) accepted(in *reading, p *wire.PrePrepare) {
	in.hold(p.Seq, p.Body)
	j.watermarks.checked++
	if p.Seq <= in.before || in.heads > 0 && p.Seq > in.stable+j.cfg.LogWindow {
		j.watermarks.fail("replica %d accepts a pre-prepare for %d, and its low watermark is %d", in.id, p.Seq, in.stable)
	}
}

// install notes a state that was fetched: nothing up to there is to be executed any more.
func (in *reading) install(seq wire.Seq) {
	in.stable, in.top = max(in.stable, seq), max(in.top, seq)
	for left := range in.missing {
		if left <= seq {
			delete(in.missing, left)
		}
	}
}

// executed notes an execution. An anchor repeats some, and may tell of one before the records that were written with it
// tell of those below; after a start what lies above the last state is executed again.
func (j *Journals) executed(in *reading, seq wire.Seq, d wire.Digest) {
	delete(in.missing, seq)
	if seq > in.top {
		j.contiguity.checked++
		for left := in.top + 1; in.top > 0 && left < seq; left++ {
			in.missing[left] = true
		}
		in.top = seq
	}
	if j.holds == nil || seq <= in.looked {
		return
	}
	in.looked = seq
	for _, b := range in.bodies[seq] {
		if b.Digest() == d {
			j.genuine(in, seq, b)
			break
		}
	}
	delete(in.bodies, seq)
}

// genuine is I16 for a batch, which is looked at in the first journal that shows it.
func (j *Journals) genuine(in *reading, seq wire.Seq, b *wire.Body) {
	s := j.again.order.at(seq)
	if s == nil || s.genuine {
		return
	}
	s.genuine = true
	claims := make([]wire.Claim, 0, len(b.Requests))
	for _, r := range b.Requests {
		j.operations.checked++
		claims = append(claims, j.again.claim(r, r.Sig))
		if j.cfg.Client != nil && !j.cfg.Client(r.ID.Client) {
			j.operations.fail("replica %d executes at %d a request of %v, who is no client", in.id, seq, r.ID.Client)
		}
	}
	if len(claims) > 0 && !j.holds(claims) {
		j.operations.fail("replica %d executes at %d a request that its client did not sign", in.id, seq)
	}
}

// hold keeps a body until its sequence number is executed.
func (in *reading) hold(seq wire.Seq, b *wire.Body) {
	if b != nil && seq > in.looked {
		for _, known := range in.bodies[seq] {
			if known.Digest() == b.Digest() {
				return
			}
		}
		in.bodies[seq] = append(in.bodies[seq], b)
	}
}
