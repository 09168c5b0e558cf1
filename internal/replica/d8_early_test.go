package replica

import (
	"errors"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/pbft/wire"
)

// reopened is what a start finds of a journal after a crash.
func (r *rig) reopened(power bool) (seqs []wire.Seq) {
	r.t.Helper()
	r.machine.crash(power)
	found, err := journal.Peek("data/journal", r.home().journalOptions())
	if err != nil {
		r.t.Fatal(err)
	}
	log, err := decode(found)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, rec := range log {
		if c, is := rec.(*wire.Certified); is {
			seqs = append(seqs, c.Cert.Seq)
		}
	}
	return seqs
}

func (r *rig) later(v *Votes, seqs ...wire.Seq) {
	r.t.Helper()
	for _, seq := range seqs {
		if err := v.Later([]wire.Record{certified(seq, 10)}, r.anchor()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// D8.14, D9: turns that may be written later are in no file at first. Then they are written in order and as one turn,
// whose sync ends before the next turn begins.
func TestD8_14_LaterTurnsAreWrittenInOrder(t *testing.T) {
	v, r := newVotes(t)
	asked := 0
	v.Waits = func() { asked++ }
	r.append(v, certified(1, 10))
	turns := v.Segments()[0].LastTurn
	r.later(v, 2, 3)
	if asked != 2 || v.Segments()[0].LastTurn != turns {
		t.Errorf("asked %d times for a write, and turn %d is written", asked, v.Segments()[0].LastTurn)
	}
	if err := v.Flush(); err != nil {
		t.Fatal(err)
	}
	r.later(v, 4)
	r.append(v, certified(5, 10))
	r.later(v, 6)
	if last := v.Segments()[0].LastTurn; last != turns+2 {
		t.Errorf("%d turns were written, want 2", last-turns)
	}
	if got := r.reopened(true); len(got) != 5 || got[0] != 1 || got[4] != 5 {
		t.Errorf("a start finds %v", got)
	}
}

// D8.14: if the segment is full, the next one holds the anchor, the waiting turns, and the new turn, in this order.
func TestD8_14_AFullSegmentKeepsWhatWaits(t *testing.T) {
	v, r := newVotes(t)
	r.append(v, certified(1, 10))
	rotated := 0
	v.Rotated = func() { rotated++ }
	seq := wire.Seq(1)
	for rotated == 0 {
		seq++
		if err := v.Later([]wire.Record{certified(seq, 900)}, r.anchor()); err != nil {
			t.Fatal(err)
		}
		if err := v.Flush(); err != nil {
			t.Fatal(err)
		}
		if seq > 100 {
			t.Fatal("no segment begins: what found no room waits for ever")
		}
	}
	for i, got := range r.reopened(true) {
		if got != wire.Seq(i+1) {
			t.Fatalf("a start finds %d in place of %d of %d", got, i+1, seq)
		}
	}
}

// D8.14: the bytes that wait are bounded. A turn that exceeds the bound waits for the disk.
func TestD8_14_WhatWaitsIsBounded(t *testing.T) {
	v, r := newVotes(t)
	r.append(v, certified(1, 10))
	most := 0
	for seq := wire.Seq(2); seq < 40; seq++ {
		if err := v.Later([]wire.Record{certified(seq, MaxLag/10)}, r.anchor()); err != nil {
			t.Fatal(err)
		}
		if p := v.lag.waiting; p != nil {
			most = max(most, len(p.encoded))
		}
	}
	if most == 0 || most > MaxLag {
		t.Errorf("%d bytes waited", most)
	}
}

// D6: if a write in the background fails, every later turn fails, too.
func TestD6_AFailedWriteBesideTheTurnsIsFinal(t *testing.T) {
	v, r := newVotes(t)
	r.append(v, certified(1, 10))
	r.later(v, 2)
	r.machine.stopAt = r.machine.calls + 1
	if err := v.Flush(); !errors.Is(err, errCrashed) {
		t.Fatalf("the write: %v", err)
	}
	if err := v.Later([]wire.Record{certified(3, 10)}, r.anchor()); !errors.Is(err, errCrashed) {
		t.Errorf("the next turn: %v", err)
	}
	if err := v.Append([]wire.Record{certified(3, 10)}, r.anchor()); !errors.Is(err, errCrashed) {
		t.Errorf("the next synced turn: %v", err)
	}
}

// D8.3, D8.14: after an unclean stop, the store may be ahead of the journal by as many batches as may be executed above
// its stable checkpoint. If the store is further ahead, or is ahead without an unclean stop, the journal is an old copy.
func TestD8_14_TheStoreMayBeAheadAfterAnUncleanStop(t *testing.T) {
	for _, c := range []struct {
		name    string
		early   bool
		version uint64
		ahead   bool
	}{
		{"whole", false, 1, true},
		{"unclean", true, 2 * testL, false},
		{"unclean, and an old copy", true, 2*testL + 1, true},
	} {
		r := newRig(t)
		d := r.mustStart()
		turn := []wire.Record{&wire.Sent{Msg: &wire.Prepare{Seq: 1, Replica: r.cfg.Self}}}
		if c.early {
			turn = append([]wire.Record{&wire.Early{}}, turn...)
		}
		if err := d.Votes.Append(turn, d.Replica.Anchor); err != nil {
			t.Fatal(err)
		}
		r.stop(false)
		r.medium = newMedium()
		fill(t, loaded(t, r.medium), c.version, 3)
		_, err := r.start()
		var lost *Amnesia
		if errors.As(err, &lost) != c.ahead || err != nil && !c.ahead {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
