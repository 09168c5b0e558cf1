package byzantine

import (
	"slices"

	"tagma/pbft"
)

// badNewView is a primary that begins its view wrongly (§4.4, V2, V4).
var badNewView = Behaviour{
	Name:    "bad-new-view",
	Model:   Byzantine,
	Summary: "as primary of a new view shows a V or an O that does not hold, or no NewView at all",
	Bound:   "the next view is active within 2T",
	Parameters: []Parameter{
		{
			"how", "wrong-o", "duplicate: one ViewChange twice in V; foreign: one that another replica never signed; " +
				"wrong-o: other digests in O, or one too many; two: a valid one to some and another valid one to the rest; " +
				"none: it sends nothing",
		},
	},
	build: newUsurper,
}

type usurper struct {
	honest
	seat
	how string
}

func newUsurper(v values, at seat) (Core, error) {
	u := &usurper{seat: at}
	var err error
	if u.how, err = v.oneOf("how", "wrong-o", "duplicate", "foreign", "two", "none"); err != nil {
		return nil, err
	}
	return at.speaks(u), nil
}

func (u *usurper) twists(m pbft.Message) bool { return pbft.TypeOf(m) == pbft.TypeNewView && u.mine(m) }

func (u *usurper) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	truth := m.(*pbft.NewView)
	lie := &pbft.NewView{
		View: truth.View, ViewChanges: slices.Clone(truth.ViewChanges), Proposals: slices.Clone(truth.Proposals),
	}
	last := len(lie.ViewChanges) - 1
	switch u.how {
	case "none":
		return nil
	case "duplicate":
		lie.ViewChanges[last] = lie.ViewChanges[last-1]
	case "foreign":
		u.forge(lie)
	case "two":
		if to%2 == 0 {
			return u.honest.tell(to, m)
		}
		u.hide(lie)
	default:
		u.misorder(lie)
	}
	return []pbft.Effect{pbft.Send{To: to, Msg: u.signed(lie)}}
}

// forge empties the P of another replica's ViewChange, under the signature that does not fit any more.
func (u *usurper) forge(m *pbft.NewView) {
	for i := range m.ViewChanges {
		if vc := m.ViewChanges[i]; vc.Replica != u.cfg.Self {
			vc.Prepared, vc.Stable = nil, pbft.StableCert{}
			vc.Sig[0] ^= 0x01
			m.ViewChanges[i] = vc
			return
		}
	}
}

// hide puts another ViewChange of its own into V, one without any certificate: what follows from it may be another O.
func (u *usurper) hide(m *pbft.NewView) {
	for i := range m.ViewChanges {
		if vc := &m.ViewChanges[i]; vc.Replica == u.cfg.Self {
			other := &pbft.ViewChange{View: vc.View, Replica: vc.Replica, Suspects: vc.Suspects}
			u.signed(other)
			m.ViewChanges[i] = *other
		}
	}
	m.Proposals = nil
	for _, d := range follows(m.ViewChanges, u.cfg.LogWindow) {
		m.Proposals = append(m.Proposals, pbft.Proposal{Digest: d})
	}
}

// misorder gives another digest to the first place of O, so that what may have committed there is lost; without any place
// it adds one that does not follow.
func (u *usurper) misorder(m *pbft.NewView) {
	if len(m.Proposals) == 0 {
		m.Proposals = []pbft.Proposal{{Digest: pbft.Digest{1}}}
		return
	}
	lie := pbft.NullDigest
	if m.Proposals[0].Digest == lie {
		lie = pbft.Digest{1}
	}
	m.Proposals[0].Digest = lie
}
