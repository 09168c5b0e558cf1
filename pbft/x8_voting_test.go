package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// X8: in transfer a replica votes for what lies in (h, H] and whose body it has.
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

// X8: it proposes nothing, admits and answers no request, and suspects nobody for its own lag.
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

// X8: it signs checkpoints of states that it executed after the switch.
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

// diverge has the replica execute eight batches on a state that is wrong from the first checkpoint on; the others'
// checkpoint at 4 shows it.
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

// K2, D7: it announces no state in whose place it had announced a wrong one: that would convict it.
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
			for s := wire.Seq(5); s <= 8; s++ { // what committed is noted behind the execution, and was lost
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

// K2: divergence is found again at a start although a later checkpoint is stable, for which it has no state of its own.
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
