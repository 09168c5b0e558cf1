package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
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

func (u *usurper) ready() error { return u.lie(u.begin, wire.TypeNewView) }

func (u *usurper) begin(to port.Source, m wire.Message) []wire.Message {
	lie := tamper.Copy(m).(*wire.NewView)
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
			return []wire.Message{m}
		}
		u.hide(lie)
	default:
		u.misorder(lie)
	}
	return []wire.Message{u.signed(lie)}
}

// forge empties the P of another replica's ViewChange, under the signature that does not fit any more.
func (u *usurper) forge(m *wire.NewView) {
	i := slices.IndexFunc(m.ViewChanges, func(c wire.ViewChange) bool { return c.Replica != u.cfg.Self })
	c := &m.ViewChanges[i]
	c.Prepared, c.Stable = nil, wire.StableCert{}
	c.Sig[0] ^= 0x01
}

// hide puts another ViewChange of its own into V, one without any certificate: what follows from it may be another O.
func (u *usurper) hide(m *wire.NewView) {
	for i := range m.ViewChanges {
		if vc := &m.ViewChanges[i]; vc.Replica == u.cfg.Self {
			other := &wire.ViewChange{View: vc.View, Replica: vc.Replica, Suspects: vc.Suspects}
			u.signed(other)
			m.ViewChanges[i] = *other
		}
	}
	m.Proposals = follows(m.ViewChanges, u.cfg.LogWindow)
}

// misorder gives another digest to the first place of O, so that what may have committed there is lost; without any place
// it adds one that does not follow.
func (u *usurper) misorder(m *wire.NewView) {
	if len(m.Proposals) == 0 {
		m.Proposals = []wire.Proposal{{Digest: wire.Digest{1}}}
		return
	}
	lie := wire.NullDigest
	if m.Proposals[0].Digest == lie {
		lie = wire.Digest{1}
	}
	m.Proposals[0].Digest = lie
}

// follows is what a correct primary puts into O (V3): above the highest stable checkpoint, up to the highest prepared
// place but no further than a window, the digest that prepared in the highest view, else null.
func follows(v []wire.ViewChange, window wire.Seq) (out []wire.Proposal) {
	low, high := tamper.Lowest(&wire.NewView{ViewChanges: v}), wire.Seq(0)
	best := map[wire.Seq]wire.PreparedCert{}
	for i := range v {
		for _, c := range v[i].Prepared {
			high = max(high, c.Seq)
			if other, found := best[c.Seq]; !found || c.View > other.View {
				best[c.Seq] = c
			}
		}
	}
	for seq := low; seq <= min(high, low-1+window); seq++ {
		d := wire.NullDigest
		if c, found := best[seq]; found {
			d = c.Digest
		}
		out = append(out, wire.Proposal{Digest: d})
	}
	return out
}
