package pbft

import (
	"testing"

	"tagma/pbft/wire"
)

// V5: a peer's budget is reduced only when something is sent to it. If a faulty replica votes for every slot of the
// window, all replicas list many slots in their status for which nobody has anything. These slots must not use up the
// budget, which is needed to send a lost vote again.
func TestV5_AnAllowanceIsSpentOnWhatIsSent(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 512 })
	m := &wire.Status{Active: true, Helper: 0}
	for s := wire.Seq(1); s <= 500; s++ {
		l.from(1, l.prepare(0, s, wire.Digest{1}, 1))
		m.Slots = append(m.Slots, wire.SlotStatus{Seq: s, Lacks: lacksEverything})
	}
	l.propose(0, 501, l.batch(1, "a"))
	m.Slots = append(m.Slots, wire.SlotStatus{Seq: 501, Lacks: lacksEverything})
	for i := range 16 {
		l.wait(l.cfg.ViewTimeout / 16)
		if i > 0 { // in the first iteration the vote may still be on its way
			wantCount(t, sends[*wire.Prepare](l.from(2, m)), 1, "prepares for who lost one")
		}
	}
}

// S4: repeated proposals count in the budget too: otherwise each status of a faulty replica would make the others send a
// large body again.
func TestS4_ProposalsAreSentAgainWithinTheAllowance(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	l.wait(l.cfg.ViewTimeout)
	l.r.grant(&l.r.peers[1])
	l.r.peers[1].help.Spend(3 * l.r.log.Bytes())
	m := &wire.Status{Active: true, Slots: []wire.SlotStatus{{Seq: 1, Lacks: wire.LacksProposal}}}
	wantCount(t, sends[*wire.PrePrepare](l.from(1, m)), 0, "proposals beyond the allowance")
	l.wait(2 * l.cfg.ViewTimeout)
	wantCount(t, sends[*wire.PrePrepare](l.from(1, m)), 1, "proposals when time has granted some")
}

// S4: a status of 40 bytes from a lower view is answered by the new view, or by our view change, up to sixteen times in
// a timeout. With a certificate for each slot of the window such an answer has half a megabyte or more.
func TestS4_NewViewsAndViewChangesAreSentAgainWithinAnAllowance(t *testing.T) {
	const slots, timeouts = 200, 10
	l := newLab(t, 4, 1, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 256 })
	for s := wire.Seq(1); s <= slots; s++ {
		l.propose(0, s, wire.NullBody)
		l.from(2, l.prepare(0, s, wire.NullDigest, 2))
	}
	asked := func() (views, changes int) {
		for range timeouts * 16 {
			l.wait(l.cfg.ViewTimeout / 16)
			effects := l.from(3, &wire.Status{View: 0, Active: true, Helper: 1})
			views, changes = views+len(sends[*wire.NewView](effects)), changes+len(sends[*wire.ViewChange](effects))
		}
		return views, changes
	}
	most := func(m wire.Message) int { return (timeouts+3)*l.r.log.Bytes()/wire.SizeHint(m) + 1 }
	l.suspected(1)
	own := l.r.change.votes[1]
	if _, changes := asked(); changes < most(own)/2 || changes > most(own) {
		t.Errorf("%d view changes in %d timeouts, want at most %d", changes, timeouts, most(own))
	}
	l.from(2, l.viewChange(1, 2, wire.StableCert{}))
	l.from(0, l.viewChange(1, 0, wire.StableCert{}))
	if !l.r.active {
		t.Fatal("no new view")
	}
	if views, _ := asked(); views < most(l.r.origin)/2 || views > most(l.r.origin) {
		t.Errorf("%d new views in %d timeouts, want at most %d", views, timeouts, most(l.r.origin))
	}
}
