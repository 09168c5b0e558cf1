package pbft

import (
	"math"
	"testing"

	"tagma/pbft/wire"
)

// newWideLab is a backup with the default window.
func newWideLab(t *testing.T) *lab {
	return newLab(t, 4, 3, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 512 })
}

// S4: in an idle cluster, a faulty replica signed one vote for the last slot of the window. Every replica then listed
// the whole window as missing in each Status, eight times in a timeout, for as long as the cluster was idle.
func TestS4_OneVoteFarAheadDoesNotLengthenEverybodysStatus(t *testing.T) {
	l := newWideLab(t)
	l.from(1, l.prepare(0, 512, wire.Digest{1}, 1))
	if k := len(l.r.newStatus().Slots); k > nearby {
		t.Errorf("%d slots are listed for the sake of one vote", k)
	}
	l.from(0, &wire.Status{Active: true, Slots: []wire.SlotStatus{{Seq: 512, Lacks: wire.LacksCommits}}})
	if k := len(l.r.newStatus().Slots); k > nearby+1 {
		t.Errorf("%d slots are listed because the primary lists one", k)
	}
	l.from(2, l.prepare(0, 512, wire.Digest{1}, 2)) // at least one of these two replicas is correct
	if k := len(l.r.newStatus().Slots); k != 512 {
		t.Errorf("%d slots are listed, want all 512", k)
	}
}

// S4: slots that were proposed in a view and did not prepare are not listed in the next view, unless its O proposes
// them.
func TestS4_WhatAViewLeftDoesNotLengthenTheStatus(t *testing.T) {
	l := newWideLab(t)
	l.propose(0, 400, l.batch(1, "a"))
	if k := len(l.r.newStatus().Slots); k != 400 {
		t.Errorf("%d slots are listed below an accepted one, want 400", k)
	}
	l.suspected(1)
	l.enter(1)
	if k := len(l.r.newStatus().Slots); k > nearby {
		t.Errorf("%d slots are listed in a view without proposals", k)
	}
}

// S4: a claim to have executed more than others counts if f+1 replicas make it. Otherwise one liar could double the rate of
// every replica's Status, and make every replica ask for batches.
func TestS4_OneClaimAloneMakesNobodyAskMore(t *testing.T) {
	for claims, statuses := range map[int]int{1: 4, 2: 7} {
		l := newLab(t, 4, 3)
		l.wait(l.cfg.ViewTimeout)
		sent, questions := 0, 0
		for range 64 {
			l.from(0, l.signBy(&wire.Heartbeat{View: 0}, 0))
			for id := range wire.ReplicaID(3) {
				m := &wire.Status{Active: true, Helper: id}
				if int(id) < claims {
					m.Executed = math.MaxUint64
				}
				l.from(id, m)
			}
			effects := l.wait(l.cfg.ViewTimeout / 64)
			sent += len(broadcasts[*wire.Status](effects))
			to, _ := asked(effects)
			questions += len(to)
		}
		if sent != statuses || (questions > 0) != (claims > 1) {
			t.Errorf("%d claims: %d statuses in a timeout, want %d; %d questions", claims, sent, statuses, questions)
		}
	}
}

// N3: a replica asks for all slots that the primary lists in its Status, even if only the primary mentions them.
func TestN3_WhatThePrimaryListsIsAskedFor(t *testing.T) {
	l := newWideLab(t)
	m := &wire.Status{Active: true}
	for s := wire.Seq(1); s <= 300; s++ {
		m.Slots = append(m.Slots, wire.SlotStatus{Seq: s, Lacks: wire.LacksCommits})
	}
	l.from(0, m)
	if k := len(l.r.newStatus().Slots); k != 300 {
		t.Errorf("%d slots are listed, want the primary's 300", k)
	}
}
