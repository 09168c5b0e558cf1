package check

import (
	"crypto/sha256"
	"slices"

	"tagma/pbft/wire"
)

// Journals compares what correct replicas' journals say, within one and across all. A journal shrinks while its replica
// runs, so it may be read as often as one likes; what was read before is remembered and read again without harm.
//
// Restarts, crashes and the anchors that repeat older votes are all in the records: nothing needs to be told of them.
// So is a new life, whose journal begins with another name (D8.2): what the replica said before still binds it.
type Journals struct {
	cfg      *wire.Config
	replicas map[wire.ReplicaID]*voter
	agreed   map[wire.Seq]said // I1
	states   map[wire.Seq]said // I5
	views    map[wire.View]bool

	agreement, votes, stateDigests            verdict
	watermarks, moves, contiguity, operations verdict // I6, I7, I8, I16
	transfers, silences                       verdict // I13, I19

	again *Monitor // counts certificates (I11) and holds new views against what committed (I17)
	holds func([]wire.Claim) bool
}

// said is a digest and who said it first.
type said struct {
	digest wire.Digest
	by     wire.ReplicaID
	given  bool // by a Monitor: anybody said anything yet
}

// NewJournals returns an empty comparison for a cluster. Self of the configuration does not matter.
func NewJournals(cfg *wire.Config) *Journals {
	return &Journals{
		cfg: cfg, replicas: make(map[wire.ReplicaID]*voter), agreed: make(map[wire.Seq]said),
		states: make(map[wire.Seq]said), views: make(map[wire.View]bool),
		again: NewMonitor(cfg, func(wire.ReplicaID) bool { return true }, func([]wire.Claim) bool { return true }),
	}
}

// VerifyWith has signatures judged: all of executed requests (I16), and of one in so many certificates (I10).
func (j *Journals) VerifyWith(holds func([]wire.Claim) bool, every int) {
	j.holds, j.again.holds = holds, holds
	j.again.VerifyEvery(every)
}

// Read takes all records that a correct replica's journal holds at one moment, in order.
func (j *Journals) Read(id wire.ReplicaID, records []wire.Record) {
	v := j.replicas[id]
	if v == nil {
		v = newVoter(id)
		j.replicas[id] = v
	}
	in := newReading(v)
	for _, r := range records {
		j.life(in, r)
		j.walk(in, r)
		j.record(in, r)
		j.again.Durable(id, r)
	}
	j.ends(in)
}

func (j *Journals) record(in *reading, r wire.Record) {
	switch r := r.(type) {
	case *wire.Head:
		in.begin(r.View)
	case *wire.Committed:
		j.committed(in, &r.Cert)
	case *wire.Certified:
		j.committed(in, &r.Cert)
	case *wire.Stable:
		j.state(in, r.Cert.Seq, r.Cert.Digest)
	case *wire.Installed:
		j.installed(in, &r.Cert)
	case *wire.Activated:
		j.views[r.NewView.View] = true
		in.move(r.NewView.View)
	case *wire.Sent:
		j.sent(in, r.Msg)
	default: // says nothing that others must agree with
	}
}

// committed checks I1: one digest a sequence number.
func (j *Journals) committed(in *reading, cert *wire.CommitCert) {
	if known, again := in.committed[cert.Seq]; again && known == cert.Digest {
		return
	}
	in.committed[cert.Seq] = cert.Digest
	j.agreement.checked++
	if first, differs := compare(j.agreed, cert.Seq, said{digest: cert.Digest, by: in.id}); differs {
		j.agreement.fail("replica %d committed %v at sequence number %d, replica %d committed %v",
			first.by, first.digest, cert.Seq, in.id, cert.Digest)
	}
}

// state checks I5: one state after a sequence number.
func (j *Journals) state(in *reading, seq wire.Seq, d wire.Digest) {
	if known, again := in.states[seq]; again && known == d {
		return
	}
	in.states[seq] = d
	j.stateDigests.checked++
	if first, differs := compare(j.states, seq, said{digest: d, by: in.id}); differs {
		j.stateDigests.fail("after sequence number %d replica %d has the state %v, replica %d has %v",
			seq, first.by, first.digest, in.id, d)
	}
}

// compare keeps what was said first about a sequence number and reports whether this differs from it.
func compare(known map[wire.Seq]said, seq wire.Seq, now said) (first said, differs bool) {
	first, again := known[seq]
	if !again {
		known[seq] = now
		return now, false
	}
	return first, first.digest != now.digest
}

// sent checks I2: one statement a place, and no new vote in a view that was left.
func (j *Journals) sent(in *reading, m wire.Message) {
	at := placeOf(m)
	signed := wire.Digest(sha256.Sum256(wire.Signable(j.cfg, m)))
	before, again := in.signed[at]
	if !again || before != signed {
		j.votes.checked++
		in.says(m)
	}
	switch {
	case again && before != signed:
		j.votes.fail("replica %d signed two different %ss for view %d, sequence number %d", in.id, at.kind, at.view, at.seq)
	case !again && votesIn(at.kind) && at.view < in.left:
		j.votes.fail("replica %d signed a %s in view %d, sequence number %d, after it had moved to view %d",
			in.id, at.kind, at.view, at.seq, in.left)
	}
	in.signed[at] = signed
	switch m := m.(type) {
	case *wire.Checkpoint:
		j.state(in, m.Seq, m.Digest)
	case *wire.ViewChange:
		j.asksAgain(in, m, signed)
		in.move(m.View)
	case *wire.NewView:
		j.views[m.View] = true
		in.move(m.View)
	default: // a vote, judged above
	}
}

// Results are what was found over all that was read. I10 and I16 are among them after VerifyWith.
func (j *Journals) Results() []Result {
	all := []Result{
		j.agreement.result("I1"), j.votes.result("I2"), j.stateDigests.result("I5"), j.watermarks.result("I6"),
		j.moves.result("I7"), j.contiguity.result("I8"),
	}
	if j.holds != nil {
		all = append(all, j.again.facts[i10].tell(i10))
	}
	all = append(all, j.again.facts[i11].tell(i11), j.transfers.tell(i13))
	if j.holds != nil {
		all = append(all, j.operations.result("I16"))
	}
	return append(all, j.again.facts[i17].tell(i17), j.silences.tell(i19))
}

// Views lists the views above 0 that became active somewhere, ascending.
func (j *Journals) Views() []wire.View {
	views := make([]wire.View, 0, len(j.views))
	for v := range j.views {
		views = append(views, v)
	}
	slices.Sort(views)
	return views
}
