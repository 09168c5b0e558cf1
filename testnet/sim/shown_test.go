package sim

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/sim/disk"
)

// D8.5: a statement proves a loss only if the old copy does not contain it. The replica knows the statements in its
// journal, also those above the state from which it starts, and the statements that it has signed since, also those that
// are not durable yet.
func TestD8_5_WhatAnOldCopyKnowsProvesNoLoss(t *testing.T) {
	const id = wire.ReplicaID(3)
	w := mustNew(t, loaded(1))
	n := w.nodes[id]
	if err := w.RunUntilTrue(4*time.Second, "its journal holds a checkpoint above a stable one", func() bool {
		entries, _ := written(n.disk)
		stable := n.replica.Position().Stable
		return stable > 0 && announced(entries) > stable
	}); err != nil {
		t.Fatal(err)
	}
	w.Crash(id, disk.Kill)
	w.Keep(id)
	w.PutBack(id)
	w.mustRestart(t, id)

	in := n.replica.Inspect()
	var known []wire.Statement
	for _, r := range n.replica.Anchor() {
		sent, is := r.(*wire.Sent)
		if !is {
			continue
		}
		if s, is := wire.SaidIn(sent.Msg); is && binds(&s, &in) {
			known = append(known, s)
		}
	}
	kinds := map[wire.Type]int{}
	for _, s := range known {
		kinds[s.Type]++
	}
	if kinds[wire.TypeCheckpoint] == 0 || kinds[wire.TypePrepare] == 0 {
		t.Fatalf("I18: its journal holds %v that bind it", kinds)
	}
	shows := func(said ...wire.Statement) error {
		answer := wire.Own(&wire.HeldBy{Of: id, Whole: true, Said: said})
		n.shown(port.Received{From: port.Source{Replica: 0}, Msg: answer}, nil)
		if v := w.Violation(); v != nil {
			w.violation = nil
			return v
		}
		return nil
	}
	if err := shows(known...); err != nil {
		t.Error(err)
	}
	for _, s := range known {
		s.Digest[0]++
		if shows(s) == nil {
			t.Errorf("it goes on though its journal lacks a %v for (%d, %d)", s.Type, s.View, s.Seq)
		}
	}
	vote := &wire.Commit{View: in.View, Seq: in.Stable + 1, Digest: wire.Digest{9}, Replica: id}
	said, _ := wire.SaidIn(vote)
	if shows(said) == nil {
		t.Error("it goes on though it is shown a commit that it never sent")
	}
	n.shown(port.Tick{}, []port.Effect{port.Broadcast{Msg: vote}})
	if err := shows(said); err != nil {
		t.Error(err)
	}
}

// announced is the highest checkpoint that the replica of a journal has announced, according to the journal.
func announced(entries [][]byte) (highest wire.Seq) {
	for _, data := range entries {
		r, err := wire.DecodeRecord(data)
		if sent, is := r.(*wire.Sent); err == nil && is {
			if m, is := sent.Msg.(*wire.Checkpoint); is {
				highest = max(highest, m.Seq)
			}
		}
	}
	return highest
}
