package replica

import (
	"testing"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// newVotes is a journal that begins with the first record.
func newVotes(t testing.TB) (*Votes, *rig) {
	r := newRig(t)
	return r.mustStart().Votes, r
}

// anchor returns an anchor that consists of a head only.
func (r *rig) anchor() func() []wire.Record {
	head := &wire.Head{Cluster: r.cfg.Cluster, Self: r.cfg.Self, Active: true, Life: lifeL}
	return func() []wire.Record { return []wire.Record{head} }
}

func (r *rig) append(v *Votes, turn ...wire.Record) {
	r.t.Helper()
	if err := v.Append(turn, r.anchor()); err != nil {
		r.t.Fatal(err)
	}
}

func commitCert(seq wire.Seq, b *wire.Body) wire.CommitCert {
	c := wire.CommitCert{Seq: seq, Digest: b.Digest()}
	for id := range wire.ReplicaID(3) {
		c.Commits = append(c.Commits, wire.Endorsement{Replica: id})
	}
	return c
}

func body(seq wire.Seq, size int) *wire.Body {
	return &wire.Body{Time: int64(seq), Requests: []*wire.Request{{
		ID: wire.RequestID{Client: wire.PublicKey{1}, Session: 1, T: uint64(seq)}, Ops: [][]byte{make([]byte, size)},
	}}}
}

func certified(seq wire.Seq, size int) wire.Record {
	b := body(seq, size)
	return &wire.Certified{Cert: commitCert(seq, b), Body: b}
}

// D8.2: nothing is written before the first record, and the anchor of the first segment contains the first turn.
func TestD8_2_AJournalBeginsWithTheFirstRecord(t *testing.T) {
	v, r := newVotes(t)
	if len(r.segments()) != 0 || v.Segments() != nil || v.Bytes() != 0 {
		t.Error("there is a journal before the first record")
	}
	if err := v.Truncate(100, nil); err != nil {
		t.Error(err)
	}
	if err := v.Prepare(); err != nil || len(r.segments()) != 0 {
		t.Errorf("prepared a segment of no journal: %v", err)
	}
	if b, err := v.Batch(1); b != nil || err != nil {
		t.Errorf("batch of no journal: %v, %v", b, err)
	}
	rotated, written := 0, 0
	v.Rotated, v.Written = func() { rotated++ }, func(records []wire.Record) { written += len(records) }
	r.append(v, certified(1, 10))
	if len(v.Segments()) != 1 || rotated != 1 || written != 2 || v.Bytes() == 0 {
		t.Errorf("%d segments, %d begun, %d records written, %d bytes", len(v.Segments()), rotated, written, v.Bytes())
	}
	if b, err := v.Batch(1); b == nil || err != nil {
		t.Errorf("the first turn is not in the journal: %v", err)
	}
}

// X0: a batch is returned with its certificate, in whatever records the two are. A batch without a certificate is not
// returned.
func TestX0_BatchesAreReadFromTheJournal(t *testing.T) {
	v, r := newVotes(t)
	proposed, null := body(2, 100), wire.NullBody
	r.append(v, certified(1, 100))
	r.append(v, &wire.Accepted{PrePrepare: &wire.PrePrepare{Seq: 2, Digest: proposed.Digest(), Body: proposed}})
	r.append(v, &wire.Committed{Cert: commitCert(2, proposed)})
	r.append(v, &wire.Certified{Cert: commitCert(3, null), Body: null})
	r.append(v, &wire.Fetched{Seq: 4, Body: body(4, 10)})       // no certificate
	r.append(v, &wire.Committed{Cert: commitCert(5, proposed)}) // no body
	for seq, want := range map[wire.Seq]*wire.Body{1: body(1, 100), 2: proposed, 3: null, 4: nil, 5: nil, 6: nil} {
		b, err := v.Batch(seq)
		switch {
		case err != nil:
			t.Errorf("batch %d: %v", seq, err)
		case (b == nil) != (want == nil):
			t.Errorf("batch %d: %v, want one: %v", seq, b, want != nil)
		case b != nil && !stands(b.(*wire.CertifiedBody), seq, want.Digest()):
			t.Errorf("batch %d is another one", seq)
		}
	}
}

// X0: a donor may read while the driver appends. It gets only complete records.
func TestX0_BatchesAreReadBesideTheTurns(t *testing.T) {
	v := &Votes{}
	j, err := journal.Create(t.TempDir()+"/journal", nil, journal.Options{SegmentBytes: 8 << 10, Index: wire.Rebuilds})
	if err != nil {
		t.Fatal(err)
	}
	v.adopt(j)
	r := &rig{t: t, cfg: testConfig(4)}
	const last = 60
	done := make(chan struct{})
	go func() {
		defer close(done)
		for seq := wire.Seq(1); seq <= last; {
			b, err := v.Batch(seq)
			if err != nil || b != nil && b.(*wire.CertifiedBody).Body.Digest() != body(seq, 700).Digest() {
				t.Errorf("batch %d: %v", seq, err)
				return
			}
			if b != nil {
				seq++
			}
		}
	}()
	v.Keep(0)
	for seq := wire.Seq(1); seq <= last; seq++ {
		turn := []wire.Record{certified(seq, 700)}
		if err := v.Append(turn, r.anchor()); err != nil {
			t.Fatal(err)
		}
		if err := v.Truncate(seq, r.anchor()); err != nil {
			t.Fatal(err)
		}
	}
	<-done
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

// X2: records above a pin stay in the journal until the pin is released, even if the core allows to delete them.
func TestX2_TheJournalAboveAPinIsKept(t *testing.T) {
	v, r := newVotes(t)
	fillTo := func(from, to wire.Seq) {
		for seq := from; seq <= to; seq++ {
			r.append(v, certified(seq, 3000))
		}
	}
	holds := func(seq wire.Seq) bool {
		b, err := v.Batch(seq)
		if err != nil {
			t.Fatal(err)
		}
		return b != nil
	}
	truncate := func(below wire.Seq) {
		if err := v.Truncate(below, r.anchor()); err != nil {
			t.Fatal(err)
		}
	}
	fillTo(1, 40)
	v.Keep(20)
	bytes := v.Bytes()
	truncate(40)
	if holds(1) || !holds(21) || !holds(40) {
		t.Errorf("holds 1: %v, 21: %v, 40: %v", holds(1), holds(21), holds(40))
	}
	if v.Bytes() >= bytes {
		t.Errorf("%d bytes before, %d after", bytes, v.Bytes())
	}
	v.Keep(0)
	fillTo(41, 60)
	truncate(60)
	if !holds(21) || !holds(60) {
		t.Error("what lies above a pin of the initial state was deleted")
	}
	v.Release()
	truncate(60)
	if holds(21) {
		t.Error("what was released is still kept")
	}
}

// stands reports whether a batch and its certificate belong to a sequence number and have the given digest.
func stands(b *wire.CertifiedBody, seq wire.Seq, digest wire.Digest) bool {
	return b.Body.Digest() == digest && b.Cert.Seq == seq && b.Cert.Digest == digest
}
