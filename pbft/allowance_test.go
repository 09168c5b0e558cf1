package pbft

import "testing"

// V5: what a peer is helped with is paid for when something is sent. A faulty replica that votes for every slot of the window
// makes everybody list slots that nobody can help with; they must not use up what a lost vote needs.
func TestV5_AnAllowanceIsSpentOnWhatIsSent(t *testing.T) {
	l := newLab(t, 4, 3, func(cfg *Config) { cfg.CheckpointInterval, cfg.LogWindow = 128, 512 })
	m := &Status{Active: true, Helper: 0}
	for s := Seq(1); s <= 500; s++ {
		l.from(1, l.prepare(0, s, Digest{1}, 1))
		m.Slots = append(m.Slots, SlotStatus{Seq: s, Lacks: lacksAll})
	}
	l.propose(0, 501, l.batch(1, "a"))
	m.Slots = append(m.Slots, SlotStatus{Seq: 501, Lacks: lacksAll})
	for i := range 16 {
		l.wait(l.cfg.ViewTimeout / 16)
		if i > 0 { // until then the vote may be on its way
			wantCount(t, sends[*Prepare](l.from(2, m)), 1, "prepares for who lost one")
		}
	}
}

// S4: proposals are within the allowance too: a large body would go out once more for every status of a faulty replica.
func TestS4_ProposalsAreSentAgainWithinTheAllowance(t *testing.T) {
	l := newLab(t, 4, 0)
	l.fromClient(l.request(1, "a"))
	l.wait(l.cfg.ViewTimeout)
	l.r.peers[1].votes = allowance{spent: l.cfg.allowed(), at: l.now}
	m := &Status{Active: true, Slots: []SlotStatus{{Seq: 1, Lacks: LacksProposal}}}
	wantCount(t, sends[*PrePrepare](l.from(1, m)), 0, "proposals beyond the allowance")
	l.wait(l.cfg.ViewTimeout / 8)
	wantCount(t, sends[*PrePrepare](l.from(1, m)), 1, "proposals when time has granted some")
}
