package driver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tagma/internal/alone"
	"tagma/pbft"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// D9: the newest segment alone (its anchor and what follows it) says as much about votes, view and watermark as the
// whole journal. This holds at every moment of random runs: in the middle of a turn, while the replica's own votes are
// on the loopback, in view changes, and after crashes.
func TestD9_TheNewestSegmentAloneRestoresTheSameReplica(t *testing.T) {
	alone.Test(t)
	rotations, inactive := 0, 0
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 9))
		l := newLab(t, 500+rng.IntN(4000))
		checked := map[*process]int{} // appends at the last look
		for range 400 {
			l.disturb(rng)
			l.hops = 1 + rng.IntN(4)
			l.pass()
			l.leaveBehind()
			for _, p := range l.processes {
				if p.driver != nil && p.tape.appends != checked[p] {
					checked[p] = p.tape.appends
					sameFromAnchor(t, p)
					if !p.replica.Inspect().Active {
						inactive++
					}
				}
			}
		}
		for _, p := range l.processes {
			rotations += p.tape.rotated
		}
	}
	if rotations < 100 || inactive < 10 {
		t.Fatalf("only %d rotations in the middle of a turn and %d moments without an active view", rotations, inactive)
	}
}

// disturb submits requests, cuts off replicas, reconnects them and crashes them at random. At most one replica is cut
// off at a time.
func (l *lab) disturb(rng *rand.Rand) {
	switch victim := l.processes[rng.IntN(4)]; rng.IntN(60) {
	case 0:
		clear(l.cut)
		l.cut[victim.cfg.Self] = true
	case 1:
		clear(l.cut)
	case 2:
		victim.driver = nil
	case 3, 4, 5, 6, 7, 8:
		l.submit()
	}
}

// leaveBehind restarts replicas that lag so far that only a state transfer could help them.
func (l *lab) leaveBehind() {
	for _, p := range l.processes {
		if p.driver != nil {
			if in := p.replica.Inspect(); in.Executed+p.cfg.LogWindow < in.Stable {
				p.driver = nil
			}
		}
	}
}

func sameFromAnchor(t *testing.T, p *process) {
	t.Helper()
	at := pbft.Applied{Seq: p.replica.Inspect().Stable}
	notes := p.driver.notes // these records wait to be written, and an anchor may already contain them
	whole, err := pbft.New(p.cfg, append(decode(p.tape.full), notes...), at)
	if err != nil {
		t.Fatal(err)
	}
	part, err := pbft.New(p.cfg, append(p.tape.read(1), notes...), at)
	if err != nil {
		t.Fatal(err)
	}
	want, got := whole.Inspect(), part.Inspect()
	if want.View != got.View || want.Active != got.Active || want.Stable != got.Stable ||
		want.StateDigest != got.StateDigest || want.Primary == p.cfg.Self && want.Proposed != got.Proposed {
		t.Fatalf("seed's replica %d: from the anchor %+v, from the whole journal %+v", p.cfg.Self, got, want)
	}
	newest := p.tape.segments[len(p.tape.segments)-1].records
	for what, r := range standing(p, want) {
		if !slices.ContainsFunc(newest, func(b []byte) bool { return string(b) == r }) {
			t.Fatalf("replica %d: the newest segment does not hold the last %s", p.cfg.Self, what)
		}
	}
	wanted, found := told(whole), told(part)
	for _, r := range wanted {
		if !slices.Contains(found, r) {
			rec, err := wire.DecodeRecord([]byte(r))
			t.Fatalf("replica %d: the newest segment does not restore %T %+v (%v)", p.cfg.Self, rec, rec, err)
		}
	}
}

// standing returns what a replica has signed and must still know: by type and sequence number, the bytes of the newest
// votes and certificates above the low watermark. If its view is not active, its view change is included.
func standing(p *process, in port.Inspection) map[string]string {
	last := map[string]string{}
	for _, b := range p.tape.full {
		rec, seq := decode([][]byte{b})[0], wire.Seq(0)
		what := fmt.Sprintf("%T", rec)
		switch rec := rec.(type) {
		case *wire.Prepared:
			seq = rec.Cert.Seq
		case *wire.Sent:
			what = fmt.Sprintf("%T", rec.Msg)
			switch m := rec.Msg.(type) {
			case *wire.Prepare, *wire.Commit, *wire.Checkpoint:
				seq = wire.RecordSeq(rec)
			case *wire.ViewChange:
				if !in.Active && m.View == in.View {
					last[what] = string(b)
				}
			}
		}
		if seq > in.Stable {
			last[fmt.Sprintf("%s at %d", what, seq)] = string(b)
		}
	}
	return last
}

// told returns everything that a replica's anchor and pending records say. It leaves out bodies of batches that a commit
// certificate has ruled out, because nobody can need them.
func told(r *pbft.Replica) []string {
	records := r.Anchor()
	committed := map[wire.Seq]wire.Digest{}
	for _, rec := range records {
		if c, ok := rec.(*wire.Committed); ok {
			committed[c.Cert.Seq] = c.Cert.Digest
		}
	}
	var all []string
	for _, rec := range records {
		if f, ok := rec.(*wire.Fetched); ok {
			if d, settled := committed[f.Seq]; settled && d != f.Body.Digest() {
				continue
			}
		}
		all = append(all, string(wire.EncodeRecord(rec)))
	}
	return all
}
