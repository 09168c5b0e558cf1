package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// X8: during a transfer, a replica votes for slots in (h, H] whose bodies it has.
func TestX8_ItVotesAboveH(t *testing.T) {
	l := inTransfer(t)
	for _, s := range []wire.Seq{41, 48} {
		effects := l.tempt(0, s)
		wantCount(t, votes(effects), 2, "votes")
		wantCount(t, all[port.Execute](effects), 0, "batches executed")
	}
	wantCount(t, votes(l.tempt(0, 49)), 0, "votes above H")
	wantCount(t, votes(l.suspected(1)), 1, "view changes")
}

// X8: during a transfer, a replica proposes nothing, neither admits nor answers requests, and does not suspect the
// primary because of its own lag.
func TestX8_ItOrdersNothingAndSuspectsNobody(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	l.stable(40)
	effects := l.fromClient(l.request(2, "b"))
	if busy := all[port.Respond](effects); len(busy) != 1 || busy[0].Reply.Outcome != wire.OutcomeBusy {
		t.Errorf("a client is answered %v", busy)
	}
	effects = append(l.from(3, &wire.Recover{Until: 48}), l.wait(l.cfg.ViewTimeout)...)
	wantCount(t, broadcasts[*wire.PrePrepare](effects), 0, "proposals")

	l = newLab(t, 4, 3)
	l.fromClient(l.request(1, "a"))
	l.stable(40)
	l.propose(0, 41, l.batch(41, "accepted, and not seen to commit"))
	l.from(1, &wire.Recover{Until: 48})
	wantCount(t, broadcasts[*wire.Suspect](l.beat(20*l.cfg.ViewTimeout)), 0, "suspects")
	wantCount(t, broadcasts[*wire.Suspect](l.wait(l.cfg.ViewTimeout)), 1, "suspects of a primary that is silent")
}

// X8: after the switch, a replica signs checkpoints of the states that it executes.
func TestX8_ItSignsCheckpointsOfWhatItExecutedAfterwards(t *testing.T) {
	l := inTransfer(t)
	wantCount(t, broadcasts[*wire.Checkpoint](l.step(port.Transferred{Cert: l.stableCert(40)})), 0, "checkpoints of a state from others")
	var effects []port.Effect
	for s := wire.Seq(41); s <= 44; s++ {
		effects = append(effects, l.tempt(0, s)...)
	}
	if c := broadcasts[*wire.Checkpoint](effects); len(c) != 1 || c[0].Seq != 44 {
		t.Errorf("checkpoints %v", c)
	}
}

// diverge makes the replica execute eight batches on a state that is wrong from the first checkpoint on. The others'
// checkpoint at 4 shows that.
func diverge(t *testing.T) (*lab, []port.Effect) {
	l := newLab(t, 4, 3)
	l.wrong = wire.Digest{0xbd}
	for s := wire.Seq(1); s <= 8; s++ {
		l.tempt(0, s)
	}
	effects := l.stable(4)
	return l, effects
}

// K2: a diverged replica takes its state from others, and replies again when it has it.
func TestK2_ADivergedReplicaTakesTheStateAndRepliesAgain(t *testing.T) {
	l, effects := diverge(t)
	wantCount(t, all[port.Diverged](effects), 1, "reports")
	wantCount(t, all[port.Transfer](effects), 1, "transfers")
	l.wrong = wire.Digest{}
	effects = l.step(port.Transferred{Cert: l.stableCert(4)})
	var again []wire.Seq
	for _, e := range all[port.Execute](effects) {
		again = append(again, e.Seq)
	}
	if !slices.Equal(again, []wire.Seq{5, 6, 7, 8}) {
		t.Errorf("executes %v on the right state", again)
	}
	if l.r.diverged || l.r.leftBehind() {
		t.Errorf("diverged %v, left behind %v", l.r.diverged, l.r.leftBehind())
	}
	wantCount(t, all[port.Respond](l.tempt(0, 9)), 1, "replies")
}

// K2, D7: a replica announced a wrong state for a checkpoint. When its state is right again, it does not announce
// another digest for that checkpoint, because that would be proof of misbehaviour.
func TestK2_ItDoesNotContradictTheCheckpointsThatItSigned(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		l, _ := diverge(t)
		l.wrong = wire.Digest{}
		effects := l.step(port.Transferred{Cert: l.stableCert(4)})
		if restarts {
			r, err := New(&l.cfg, recode(t, l.log), Applied{Seq: 4, Root: stateAfter(4)})
			if err != nil {
				t.Fatal(err)
			}
			l.r = r
			effects = append(effects, l.wait(10*time.Millisecond)...)
			for s := wire.Seq(5); s <= 8; s++ { // the records that these slots had committed were lost
				effects = append(effects, l.commitAll(0, s, l.batch(uint64(s), "a"))...)
			}
		}
		for s := wire.Seq(9); s <= 12; s++ {
			effects = append(effects, l.tempt(0, s)...)
		}
		if c := broadcasts[*wire.Checkpoint](effects); len(c) != 1 || c[0].Seq != 12 {
			t.Errorf("restarts %v: checkpoints %v after the switch, want the one at 12", restarts, c)
		}
		l.boot(Applied{Seq: 4, Root: stateAfter(4)}, false, l.log...)
		l.from(0, l.answer(l.checkpoint(8, wire.Digest{0xbd}, 3)))
		if l.r.inquiry.Forgot {
			t.Error("a checkpoint that it gave up counts as forgotten")
		}
	}
}

// K2, D7: a replica announced a state and crashed. When it executes the batches again from its journal, the state is
// different. It announces no second digest for that checkpoint, and continues. The next stable checkpoint shows which
// state was wrong; until then the replica does not count as diverged.
func TestK2_AStateThatIsNotTheOneAnnouncedBeforeACrashIsGivenUp(t *testing.T) {
	for _, wrong := range []wire.Digest{{}, {0xbe}} { // of what it executes afterwards
		l := newLab(t, 4, 3)
		l.wrong = wire.Digest{0xbd}
		for s := wire.Seq(1); s <= 4; s++ {
			l.tempt(0, s)
		}
		r, err := New(&l.cfg, recode(t, l.log), Applied{})
		if err != nil {
			t.Fatal(err)
		}
		l.r, l.wrong = r, wrong
		effects := l.wait(10 * time.Millisecond)
		for s := wire.Seq(1); s <= 4; s++ { // the records that these slots had committed were lost
			effects = append(effects, l.commitAll(0, s, l.batch(uint64(s), "a"))...)
		}
		wantCount(t, all[port.Snapshot](effects), 1, "states taken")
		wantCount(t, broadcasts[*wire.Checkpoint](effects), 0, "checkpoints in the place of another one")
		for s := wire.Seq(5); s <= 8; s++ {
			effects = append(effects, l.tempt(0, s)...)
		}
		effects = append(effects, l.stable(8)...)
		if c := broadcasts[*wire.Checkpoint](effects); len(c) != 1 || c[0].Seq != 8 {
			t.Errorf("checkpoints %v, want the one at 8", c)
		}
		if isWrong := wrong != (wire.Digest{}); l.r.diverged != isWrong {
			t.Errorf("diverged %v, and the state is wrong: %v", l.r.diverged, isWrong)
		}
	}
}

// K2: a start finds the divergence again, even if a later checkpoint is stable for which the replica has no state of its
// own.
func TestK2_DivergenceIsFoundAgainBehindALaterCheckpoint(t *testing.T) {
	l, _ := diverge(t)
	l.stable(12)
	r, err := New(&l.cfg, recode(t, l.log), Applied{Seq: 8, Root: wire.Digest{0xbd}})
	if err != nil {
		t.Fatal(err)
	}
	l.r = r
	effects := l.wait(10 * time.Millisecond)
	wantCount(t, all[port.Transfer](effects), 1, "transfers")
	wantCount(t, all[port.Execute](effects), 0, "batches executed on the wrong state")
}

// K2: a store that does not hold the executed state is repaired like a state that contradicts a checkpoint. The fetched
// state may be below what was executed; then those batches are executed again. The replica signs no other digest for
// what it has signed.
func TestK2_ADamagedStateIsFetchedFromOthers(t *testing.T) {
	l := newLab(t, 4, 3)
	for s := wire.Seq(1); s <= 9; s++ {
		l.tempt(0, s)
	}
	l.stable(4)
	effects := l.step(port.Damaged{})
	begun := all[port.Transfer](effects)
	if len(begun) != 1 || !begun[0].Doubt || begun[0].Target.Seq != 4 {
		t.Fatalf("%+v begins", begun)
	}
	wantCount(t, all[port.Transfer](l.step(port.Damaged{})), 0, "transfers when it is told again")
	wantCount(t, all[port.Execute](l.tempt(0, 10)), 0, "batches executed on what is damaged")
	effects = l.step(port.Transferred{Cert: l.stableCert(4)})
	wantCount(t, all[port.Execute](effects), 6, "batches executed on the state of others")
	wantCount(t, broadcasts[*wire.Checkpoint](effects), 0, "checkpoints in the place of one that was signed")
	wantCount(t, all[port.Respond](effects), 6, "replies")
	for s := wire.Seq(11); s <= 12; s++ {
		effects = l.tempt(0, s)
	}
	wantCount(t, broadcasts[*wire.Checkpoint](effects), 1, "checkpoints above")
	wantCount(t, all[port.Transfer](l.step(port.Damaged{})), 1, "transfers when it is damaged again")
}

// K2: if damage is found while a state is being fetched, the mover is told, because it may have used damaged data.
func TestK2_DamageDuringATransferIsToldOn(t *testing.T) {
	l := inTransfer(t)
	begun := all[port.Transfer](l.step(port.Damaged{}))
	if len(begun) != 1 || !begun[0].Doubt {
		t.Errorf("%+v", begun)
	}
}

// K2, D9: the anchor alone says which checkpoints were given up, and that the state is still wrong, because older
// segments may have been deleted.
func TestK2_TheAnchorTellsWhatWasGivenUp(t *testing.T) {
	l, _ := diverge(t)
	before := recode(t, l.r.Anchor())
	l.wrong = wire.Digest{}
	l.step(port.Transferred{Cert: l.stableCert(4)})
	after := recode(t, l.r.Anchor())

	l.boot(Applied{Seq: 4, Root: stateAfter(4)}, false, before...)
	begun := all[port.Transfer](l.answeredBy(0, 1, 2))
	begun = append(begun, all[port.Transfer](l.wait(10*time.Millisecond))...)
	if len(begun) != 1 || !begun[0].Doubt {
		t.Errorf("behind a restart before the repair %+v begins", begun)
	}

	for _, m := range wire.Log(after).Marks() {
		if m.Seq == 8 {
			t.Error("a start looks for a state that was given up")
		}
	}
	l.boot(Applied{Seq: 4, Root: stateAfter(4)}, false, after...)
	l.from(0, l.answer(l.checkpoint(8, wire.Digest{0xbd}, 3)))
	if l.r.inquiry.Forgot {
		t.Fatal("a checkpoint that it gave up counts as forgotten")
	}
	effects := append(l.answeredBy(1, 2), l.wait(10*time.Millisecond)...)
	for s := wire.Seq(5); s <= 12; s++ {
		effects = append(effects, l.commitAll(0, s, l.batch(uint64(s), "a"))...)
	}
	if c := broadcasts[*wire.Checkpoint](effects); len(c) != 1 || c[0].Seq != 12 {
		t.Errorf("it signs checkpoints %v behind a restart after the repair, want the one at 12", c)
	}
}
