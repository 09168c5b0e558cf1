package pbft

import (
	"slices"
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// tempt sends a replica every message, from all others, that usually makes it vote: a pre-prepare, votes for it,
// suspects, and view changes.
func (l *lab) tempt(v wire.View, s wire.Seq) []port.Effect {
	b := l.batch(uint64(s), "a")
	return l.commitAll(v, s, b)
}

// D8.7: until a checkpoint at R is stable, a backup casts none of the votes that it may have cast before.
func TestD8_7_ASilentBackupVotesNothing(t *testing.T) {
	l := newRecoveringLab(t, 3, 12, 1)
	var effects []port.Effect
	for s := wire.Seq(1); s <= 8; s++ {
		effects = append(effects, l.tempt(0, s)...)
	}
	effects = append(effects, l.suspected(1)...)
	effects = append(effects, l.from(0, l.viewChange(1, 0, wire.StableCert{}))...)
	effects = append(effects, l.enter(1)...)
	effects = append(effects, l.stable(8)...)
	for s := wire.Seq(9); s <= 11; s++ {
		effects = append(effects, l.tempt(1, s)...)
	}
	wantCount(t, votes(effects), 0, "votes of a silent replica")
	wantCount(t, all[port.Execute](effects), 11, "batches executed by certificate")
	if v := l.r.view; v != 1 || !l.r.active {
		t.Errorf("it does not follow into view 1: it is in view %d, active %v", v, l.r.active)
	}
}

// D8.7: while it may not vote, a primary sends no pre-prepare and no NewView. It also sends no heartbeat, so that it
// does not stay the primary.
func TestD8_7_ASilentPrimaryOrdersNothing(t *testing.T) {
	l := newRecoveringLab(t, 0, 12, 1)
	effects := l.fromClient(l.request(1, "a"))
	effects = append(effects, l.wait(l.cfg.ViewTimeout)...)
	wantCount(t, votes(effects), 0, "votes")
	wantCount(t, broadcasts[*wire.Heartbeat](effects), 0, "heartbeats")

	l = newRecoveringLab(t, 1, 12, 1)
	// Its own view change, from the life that it has forgotten; any replica may pass this message on.
	old := l.viewChange(1, 1, wire.StableCert{})
	effects = l.from(0, old)
	for _, id := range []wire.ReplicaID{0, 2, 3} {
		effects = append(effects, l.from(id, l.viewChange(1, id, wire.StableCert{}))...)
	}
	effects = append(effects, l.wait(l.cfg.ViewTimeout/4)...)
	wantCount(t, votes(effects), 0, "votes")
}

// D8.7: a forgotten view change of the replica's former life comes back from others. When the replica votes again, it
// does not send that view change as its own, and does not use it in its new view.
func TestD8_7_AForgottenViewChangeIsNotTakenForOneOfThisLife(t *testing.T) {
	l := newRecoveringLab(t, 1, 12, 1)
	wantDrop(t, l.from(0, l.viewChange(1, 1, wire.StableCert{})), port.ReasonOwn)
	for _, id := range []wire.ReplicaID{0, 2, 3} {
		l.from(id, l.viewChange(1, id, wire.StableCert{}))
	}
	effects := l.stable(12)
	effects = append(effects, l.wait(l.cfg.ViewTimeout/4)...)
	vcs, nvs := broadcasts[*wire.ViewChange](effects), broadcasts[*wire.NewView](effects)
	if len(vcs) != 1 || len(nvs) != 1 || vcs[0].Stable.Seq != 12 {
		t.Fatalf("%d view changes and %d new views", len(vcs), len(nvs))
	}
	if i := slices.IndexFunc(nvs[0].ViewChanges, func(m wire.ViewChange) bool { return m.Replica == 1 }); nvs[0].ViewChanges[i].Stable.Seq != 12 {
		t.Error("the new view rests on the forgotten view change")
	}
}

// D8.7: while it may not vote, a replica may send a checkpoint vote for a state that it has, a Suspect, and a status.
func TestD8_7_CheckpointSuspectAndStatusAreAllowed(t *testing.T) {
	l := newRecoveringLab(t, 3, 40, 1)
	var effects []port.Effect
	for s := wire.Seq(1); s <= 4; s++ {
		effects = append(effects, l.tempt(0, s)...)
	}
	wantCount(t, broadcasts[*wire.Checkpoint](effects), 1, "checkpoints")
	effects = l.wait(3 * l.cfg.ViewTimeout) // the primary is silent
	wantCount(t, broadcasts[*wire.Suspect](effects), 1, "suspects")
	wantCount(t, broadcasts[*wire.Status](effects), 1, "status messages")
}

// D8.7: once a checkpoint at R is stable, the replica votes in V* and in higher views. It never votes in a lower view,
// also not after a restart.
func TestD8_7_ItVotesFromVStarOnAndNeverBelow(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		l := newRecoveringLab(t, 3, 10, 2)
		l.enter(1)
		l.stable(8)
		wantCount(t, votes(l.tempt(1, 9)), 0, "votes below R")
		l.stable(12)
		if l.r.Inspect().Silent {
			t.Fatal("it is still silent")
		}
		again := func() {
			if restarts {
				r, err := Boot(&l.cfg, recode(t, l.r.Anchor()), Applied{Seq: 12}, Start{Life: wire.Life{9}})
				if err != nil {
					t.Fatal(err)
				}
				l.r = r
				l.wait(l.cfg.ViewTimeout / 100)
			}
		}
		again()
		wantCount(t, votes(l.tempt(1, 13)), 0, "votes in a view below V*")
		vcs := broadcasts[*wire.ViewChange](l.suspected(2))
		wantCount(t, vcs, 1, "view changes to V*")
		again()
		l.from(2, l.newViewFrom(2, l.viewChange(2, 0, l.stableCert(12)), l.viewChange(2, 1, l.stableCert(12)), vcs[0]))
		wantCount(t, votes(l.tempt(2, 13)), 2, "votes in V*")
	}
}

// D8.7: when its silence ends, a replica votes for the batches that it has accepted during the silence in V* or a higher
// view.
func TestD8_7_ItVotesForWhatItAcceptedWhileSilent(t *testing.T) {
	l := newRecoveringLab(t, 3, 4, 1)
	l.enter(1)
	b := l.batch(5, "a")
	wantCount(t, votes(l.propose(1, 5, b)), 0, "votes while silent")
	prepares := broadcasts[*wire.Prepare](l.stable(4))
	if len(prepares) != 1 || prepares[0].Seq != 5 || prepares[0].View != 1 {
		t.Errorf("prepares %v", prepares)
	}
}

// D8.7: R need not be the sequence number of a checkpoint. The silence ends at the first stable checkpoint at or above
// R.
func TestD8_7_SilenceEndsAtTheFirstCheckpointAtOrAboveR(t *testing.T) {
	l := newRecoveringLab(t, 3, 9, 1)
	l.stable(8)
	if !l.r.Inspect().Silent {
		t.Error("its silence ends below R")
	}
	effects := l.stable(12)
	if l.r.Inspect().Silent {
		t.Error("its silence goes on above R")
	}
	durable := all[port.Persist](effects)
	if len(durable) == 0 || wire.RecordSeq(durable[0].Record) != 12 {
		t.Error("a crash would make it silent again")
	}
}

// D8.8: a silent replica leaves its view only for the view change of a replica that may send one. Suspects alone are not
// enough: the silent replica may not send a view change, so no other replica would follow it.
func TestD8_8_ASilentReplicaDoesNotLeaveItsViewAlone(t *testing.T) {
	l := newRecoveringLab(t, 3, 12, 1)
	l.suspected(1)
	if l.r.view != 0 || !l.r.active {
		t.Fatalf("it is in view %d, active %v", l.r.view, l.r.active)
	}
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	if l.r.view != 1 {
		t.Errorf("it stays in view %d when another one leaves", l.r.view)
	}
}

// D8.8: after its silence, a replica sends the view change that it could not send before, with the Suspects from another
// replica's view change. It sends it once.
func TestD8_8_ItJoinsAViewChangeThatItMissed(t *testing.T) {
	l := newRecoveringLab(t, 3, 12, 1)
	other := l.viewChange(1, 0, wire.StableCert{})
	l.from(2, l.suspect(0, 2))
	wantCount(t, votes(l.from(0, other)), 0, "votes while silent")
	effects := l.stable(12)
	effects = append(effects, l.wait(l.cfg.ViewTimeout/100)...)
	effects = append(effects, l.wait(l.cfg.ViewTimeout/100)...)
	vcs := broadcasts[*wire.ViewChange](effects)
	if len(vcs) != 1 || vcs[0].View != 1 || vcs[0].Stable.Seq != 12 || vcs[0].Suspects[0] != other.Suspects[0] {
		t.Fatalf("%d view changes: %v", len(vcs), vcs)
	}
}

// D8.8: the same is true after a restart. Then the replica must learn of the view change again, from what others send
// because of its status.
func TestD8_8_ItJoinsAViewChangeAfterARestart(t *testing.T) {
	l := newRecoveringLab(t, 3, 12, 1)
	l.from(2, l.suspect(0, 2))
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	l.stable(12)
	r, err := Boot(&l.cfg, recode(t, l.r.Anchor()), Applied{Seq: 12}, Start{Life: wire.Life{9}})
	if err != nil {
		t.Fatal(err)
	}
	l.r = r
	status := broadcasts[*wire.Status](l.wait(l.cfg.ViewTimeout / 100))
	wantCount(t, status, 1, "status messages")
	helper := newLab(t, 4, 0)
	helper.suspected(1)
	vcs := sends[*wire.ViewChange](helper.from(3, status[0]))
	wantCount(t, vcs, 1, "view changes in answer to its status")
	l.from(2, l.suspect(0, 2))
	effects := append(l.from(0, vcs[0]), l.wait(l.cfg.ViewTimeout/100)...)
	wantCount(t, broadcasts[*wire.ViewChange](effects), 1, "view changes of its own")
	wantCount(t, votes(l.wait(l.cfg.ViewTimeout/100)), 0, "further ones")
}

// D8.8: some time may pass between sending a view change and its return over the loopback. The replica does not send a
// second view change in that time: it could show another checkpoint, which would be proof of misbehaviour.
func TestD8_8_ItJoinsOnce(t *testing.T) {
	l := newRecoveringLab(t, 3, 12, 1)
	l.from(2, l.suspect(0, 2))
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	l.stable(12)
	var sent int
	for range 3 {
		l.now += l.cfg.ViewTimeout / 100
		sent += len(broadcasts[*wire.ViewChange](slices.Clone(l.r.Step(port.Tick{Mono: l.now})))) // nothing comes back
	}
	if sent != 1 {
		t.Errorf("%d view changes for one view", sent)
	}
}
