package byzantine

import (
	"slices"

	"tagma/pbft"
	"tagma/testnet/byzantine/tamper"
)

// badNewView is a primary that begins its view wrongly (§4.4, V2, V4).
var badNewView = tamper.Describe[usurper]("bad-new-view", tamper.Byzantine,
	"as primary of a new view shows a V or an O that does not hold, or no NewView at all",
	"the next view is active within 2T")

type usurper struct {
	rule
	How string `default:"wrong-o" words:"wrong-o,duplicate,foreign,two,none" doc:"duplicate: one ViewChange twice in V; foreign: one "`
	_   any    `doc:"that another replica never signed; wrong-o: other digests in O, or one too many; two: a valid one to some "`
	_   any    `doc:"and another valid one to the rest; none: it sends nothing"`
}

func (u *usurper) ready() error { return u.lie(u.begin, pbft.TypeNewView) }

func (u *usurper) begin(to pbft.Source, m pbft.Message) []pbft.Message {
	lie := tamper.Copy(m).(*pbft.NewView)
	last := len(lie.ViewChanges) - 1
	switch u.How {
	case "none":
		return nil
	case "duplicate":
		lie.ViewChanges[last] = lie.ViewChanges[last-1]
	case "foreign":
		u.forge(lie)
	case "two":
		if to.Replica%2 == 0 {
			return []pbft.Message{m}
		}
		u.hide(lie)
	default:
		u.misorder(lie)
	}
	return []pbft.Message{u.signed(lie)}
}

// forge empties the P of another replica's ViewChange, under the signature that does not fit any more.
func (u *usurper) forge(m *pbft.NewView) {
	i := slices.IndexFunc(m.ViewChanges, func(c pbft.ViewChange) bool { return c.Replica != u.cfg.Self })
	c := &m.ViewChanges[i]
	c.Prepared, c.Stable = nil, pbft.StableCert{}
	c.Sig[0] ^= 0x01
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
	m.Proposals = follows(m.ViewChanges, u.cfg.LogWindow)
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

// follows is what a correct primary puts into O (V3): above the highest stable checkpoint, up to the highest prepared
// place but no further than a window, the digest that prepared in the highest view, else null.
func follows(v []pbft.ViewChange, window pbft.Seq) (out []pbft.Proposal) {
	low, high := tamper.Lowest(&pbft.NewView{ViewChanges: v}), pbft.Seq(0)
	best := map[pbft.Seq]pbft.PreparedCert{}
	for i := range v {
		for _, c := range v[i].Prepared {
			high = max(high, c.Seq)
			if other, found := best[c.Seq]; !found || c.View > other.View {
				best[c.Seq] = c
			}
		}
	}
	for seq := low; seq <= min(high, low-1+window); seq++ {
		d := pbft.NullDigest
		if c, found := best[seq]; found {
			d = c.Digest
		}
		out = append(out, pbft.Proposal{Digest: d})
	}
	return out
}
