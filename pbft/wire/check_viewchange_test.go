package wire

import (
	"fmt"
	"math"
	"testing"
)

func TestCheck_StableNotices(t *testing.T) {
	c := newWireCluster(4)
	wireRefuses(t, &c.cfg, &StableNotice{c.stableCert(20)}, []wireRefusal[*StableNotice]{
		{"K1: between two checkpoints", ErrInvalid, func(m *StableNotice) { m.Cert.Seq = 19 }},
		{"K1: a checkpoint short", ErrInvalid, func(m *StableNotice) { m.Cert.Checkpoints = m.Cert.Checkpoints[:2] }},
		{"a checkpoint too many", ErrInvalid, func(m *StableNotice) { m.Cert.Checkpoints = wireSigners(4) }},
		{"S3: a checkpoint twice", ErrInvalid, func(m *StableNotice) { m.Cert.Checkpoints[1].Replica = 0 }},
		{"S3: a stranger's checkpoint", ErrUnknownMember, func(m *StableNotice) { m.Cert.Checkpoints[2].Replica = 4 }},
		{"proof of the initial state", ErrInvalid, func(m *StableNotice) { m.Cert.Seq, m.Cert.Digest = 0, Digest{} }},
		{"a digest of the initial state", ErrInvalid, func(m *StableNotice) { m.Cert = StableCert{Digest: Digest{1}} }},
	})
}

func TestCheck_ViewChanges(t *testing.T) {
	c := newWireCluster(4)
	b := c.body()
	good := c.viewChange(5, 2, c.stableCert(10), c.preparedCert(1, 11, b), c.preparedCert(4, 30, NullBody))
	good.Suspects[0].View, good.Suspects[1].View = 4, math.MaxUint64
	wireRefuses(t, &c.cfg, good, []wireRefusal[*ViewChange]{
		{"to view 0", ErrInvalid, func(m *ViewChange) { m.View = 0 }},
		{"of a stranger", ErrUnknownMember, func(m *ViewChange) { m.Replica = 4 }},

		{"V7: not justified", ErrInvalid, func(m *ViewChange) { m.Suspects = m.Suspects[:1] }},
		{"V7: a suspect too many", ErrInvalid, func(m *ViewChange) {
			m.Suspects = append(m.Suspects, Suspect{View: 4, Replica: 3})
		}},
		{"V7: a suspect twice", ErrInvalid, func(m *ViewChange) { m.Suspects[1] = m.Suspects[0] }},
		{"V7: a stranger suspects", ErrUnknownMember, func(m *ViewChange) { m.Suspects[1].Replica = 4 }},
		{"V7: an old suspect", ErrInvalid, func(m *ViewChange) { m.Suspects[0].View = 3 }},

		{"V2: a bad stable certificate", ErrInvalid, func(m *ViewChange) { m.Stable.Checkpoints = nil }},
		{"V2: a certificate twice", ErrInvalid, func(m *ViewChange) { m.Prepared[1] = m.Prepared[0] }},
		{"V2: certificates out of order", ErrInvalid, func(m *ViewChange) { m.Prepared[0].Seq = 30 }},
		{"V2: prepared in the view to come", ErrInvalid, func(m *ViewChange) {
			m.Prepared[1].View = 5
			m.Prepared[1].Prepares[0].Replica, m.Prepared[1].Prepares[1].Replica = 2, 3 // both backups in view 5
		}},
		{"V2: prepared at the low watermark", ErrInvalid, func(m *ViewChange) { m.Prepared[0].Seq = 10 }},
		{"V2: prepared above the high watermark", ErrInvalid, func(m *ViewChange) { m.Prepared[1].Seq = 31 }},
		{"V2: prepared at the end of numbers", ErrInvalid, func(m *ViewChange) { m.Prepared[1].Seq = math.MaxUint64 }},
		{"N2: a prepare short", ErrInvalid, func(m *ViewChange) { m.Prepared[1].Prepares = m.Prepared[1].Prepares[1:] }},
		{"N2: a prepare too many", ErrInvalid, func(m *ViewChange) {
			m.Prepared[1].Prepares = []Endorsement{{Replica: 1}, {Replica: 2}, {Replica: 3}}
		}},
		{"S3: a prepare twice", ErrInvalid, func(m *ViewChange) { m.Prepared[1].Prepares[0] = m.Prepared[1].Prepares[1] }},
		{"S3: a stranger's prepare", ErrUnknownMember, func(m *ViewChange) { m.Prepared[1].Prepares[1].Replica = 4 }},
		{"N2: a prepare of the primary", ErrInvalid, func(m *ViewChange) { m.Prepared[1].Prepares[0].Replica = 0 }},
	})
}

func TestCheck_NewViews(t *testing.T) {
	c := newWireCluster(4)
	wireRefuses(t, &c.cfg, c.newView(), []wireRefusal[*NewView]{
		{"of view 0", ErrInvalid, func(m *NewView) { m.View = 0 }},
		{"a view change short", ErrInvalid, func(m *NewView) { m.ViewChanges = m.ViewChanges[1:] }},
		{"a view change too many", ErrInvalid, func(m *NewView) {
			m.ViewChanges = append(m.ViewChanges, *c.viewChange(5, 3, StableCert{}))
		}},
		{"S3: a view change twice", ErrInvalid, func(m *NewView) { m.ViewChanges[2] = m.ViewChanges[1] }},
		{"a view change to another view", ErrInvalid, func(m *NewView) {
			m.ViewChanges[1] = *c.viewChange(6, 1, StableCert{})
		}},
		{"V2: a bad view change", ErrInvalid, func(m *NewView) { m.ViewChanges[1].Prepared[0].View = 5 }},
		{"a stranger's view change", ErrUnknownMember, func(m *NewView) { m.ViewChanges[2].Replica = 4 }},
		{"V3: a proposal short", ErrInvalid, func(m *NewView) { m.Proposals = m.Proposals[1:] }},
		{"V3: a proposal too many", ErrInvalid, func(m *NewView) { m.Proposals = append(m.Proposals, Proposal{}) }},
		{"V3: proposals for what is stable", ErrInvalid, func(m *NewView) {
			m.ViewChanges[2] = *c.viewChange(5, 2, c.stableCert(20))
		}},
	})
}

// I11: quorums are computed from n and f. With n = 6, quorums of three could be disjoint.
func TestCheck_OneSignerShortIsRefusedInClustersOfAnySize(t *testing.T) {
	quorums := map[int]int{4: 3, 5: 4, 6: 4, 7: 5, 8: 6, 9: 6, 10: 7}
	for n := 4; n <= 10; n++ {
		c := newWireCluster(n)
		if got := c.cfg.Quorum(); got != quorums[n] {
			t.Errorf("n=%d: quorum %d, want %d", n, got, quorums[n])
		}
		t.Run(fmt.Sprint("n=", n), func(t *testing.T) {
			wireRefuses(t, &c.cfg, c.newView(), []wireRefusal[*NewView]{
				{"a view change short", ErrInvalid, func(m *NewView) { m.ViewChanges = m.ViewChanges[1:] }},
				{"a suspect short", ErrInvalid, func(m *NewView) {
					m.ViewChanges[0].Suspects = m.ViewChanges[0].Suspects[1:]
				}},
				{"a prepare short", ErrInvalid, func(m *NewView) {
					m.ViewChanges[0].Prepared[0].Prepares = m.ViewChanges[0].Prepared[0].Prepares[1:]
				}},
				{"a checkpoint short", ErrInvalid, func(m *NewView) {
					m.ViewChanges[1].Stable.Checkpoints = m.ViewChanges[1].Stable.Checkpoints[1:]
				}},
			})
		})
	}
}
