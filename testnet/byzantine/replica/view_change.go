package replica

import (
	"maps"
	"math"
	"slices"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// lyingViewChange tries to make a new view forget what may have committed (§4.4, V1, V3).
var lyingViewChange = tamper.Describe[changeLiar]("lying-view-change", tamper.Byzantine,
	"sends every replica another ViewChange: with some, all or none of its prepared certificates, and a stale checkpoint",
	"at most f extra views; nothing that committed is forgotten")

type changeLiar struct {
	rule
	How     string `default:"mixed" words:"mixed,empty,stale" doc:"mixed: another P and C for each destination; empty: no P for "`
	_       any    `doc:"anybody; stale: the initial state as C, and no P"`
	Provoke bool   `default:"no" doc:"yes: as primary it proposes nothing, so that there is a view change to lie in"`
}

func (l *changeLiar) ready() error { return l.lie(l.change, wire.TypeViewChange, wire.TypePrePrepare) }

func (l *changeLiar) change(to port.Source, m wire.Message) []wire.Message {
	vc, changes := m.(*wire.ViewChange)
	switch {
	case !changes && l.Provoke: // the attacker proposes nothing
		return nil
	case !changes:
		return []wire.Message{m}
	}
	lie := &wire.ViewChange{View: vc.View, Replica: vc.Replica, Suspects: vc.Suspects, Stable: vc.Stable}
	switch mixed := l.How == "mixed"; {
	case l.How == "stale" || mixed && to.Replica%3 == 2:
		lie.Stable = wire.StableCert{}
	case mixed && to.Replica%3 == 1: // every other certificate
		for i := 0; i < len(vc.Prepared); i += 2 {
			lie.Prepared = append(lie.Prepared, vc.Prepared[i])
		}
	default:
	}
	return []wire.Message{l.signed(lie)}
}

// viewChangeStorm sends ViewChanges for distant views alone, and tries to make all replicas go there (V7).
var viewChangeStorm = tamper.Describe[stormer]("view-change-storm", tamper.Byzantine,
	"sends ViewChange(v+1), ViewChange(v+2) and so on, justified by itself alone or by forged suspicions, and suspects them all",
	"no view change; throughput ≥ 90 %")

type stormer struct {
	liar
	Views uint64 `default:"1000" doc:"how far above the current view it goes, before it begins again"`
	Rate  uint64 `default:"10" cap:"1000" doc:"views a tick"`
	step  uint64
}

func (s *stormer) tick(port.Tick) {
	for range s.Rate {
		s.step = s.step%max(s.Views, 1) + 1
		s.burst(s.view + wire.View(s.step))
	}
}

// burst returns a valid Suspect, and a ViewChange that either has too few Suspects or has one that nobody signed.
func (s *stormer) burst(u wire.View) {
	suspects := s.suspicions(u - 1)
	own := suspects[slices.IndexFunc(suspects, func(x wire.Suspect) bool { return x.Replica == s.cfg.Self })]
	m := &wire.ViewChange{View: u, Replica: s.cfg.Self, Suspects: []wire.Suspect{own}}
	if u%2 == 0 {
		m.Suspects = suspects
	}
	s.spread(&own)
	s.spread(s.signed(m))
}

// suspicions returns f+1 Suspects of a view. All except the attacker's own are forged.
func (l *liar) suspicions(of wire.View) []wire.Suspect {
	own := wire.Suspect{View: of, Replica: l.cfg.Self}
	l.signed(&own)
	all := []wire.Suspect{own}
	for _, id := range l.others()[:l.cfg.Weak()-1] {
		all = append(all, wire.Suspect{View: of, Replica: id, Sig: own.Sig})
	}
	slices.SortFunc(all, func(a, b wire.Suspect) int { return int(a.Replica) - int(b.Replica) })
	return all
}

// bankedSuspect collects Suspects of f other replicas, and uses them much later (V7).
var bankedSuspect = tamper.Describe[banker]("banked-suspect", tamper.Byzantine,
	"keeps the suspicions of others, suspects the same views itself, and uses both again and again to ask for the next view",
	"no view change")

type banker struct {
	liar
	Wait  time.Duration `default:"6T" doc:"how old it lets a suspicion become before it shows it: a duration, or a multiple of T"`
	Every tamper.Pace   `default:"1T" doc:"time between two uses of the suspicions, a duration or a multiple of T"`

	held  map[wire.ReplicaID]*wire.Suspect // the highest Suspect of each replica
	since time.Duration                    // when the attacker first had enough of them
}

func (b *banker) ready() error {
	b.held = map[wire.ReplicaID]*wire.Suspect{}
	return nil
}

func (b *banker) hear(ev port.Event) []port.Event {
	m, is := received(ev).(*wire.Suspect)
	if is && m.Replica != b.cfg.Self && (b.held[m.Replica] == nil || b.held[m.Replica].View < m.View) {
		b.held[m.Replica] = m
		if len(b.held) == b.cfg.F() {
			b.since = b.now
		}
	}
	return []port.Event{ev}
}

func (b *banker) tick(port.Tick) {
	if b.Every.Due(b.now) == 0 || len(b.held) < b.cfg.F() || b.now-b.since < b.Wait {
		return
	}
	var all []wire.Suspect
	of := wire.View(math.MaxUint64)
	for _, id := range slices.Sorted(maps.Keys(b.held))[:b.cfg.F()] {
		all = append(all, *b.held[id])
		of = min(of, b.held[id].View)
	}
	own := wire.Suspect{View: of, Replica: b.cfg.Self}
	b.signed(&own)
	all = append(all, own)
	slices.SortFunc(all, func(a, b wire.Suspect) int { return int(a.Replica) - int(b.Replica) })
	b.spread(&own)
	b.spread(b.signed(&wire.ViewChange{View: of + 1, Replica: b.cfg.Self, Suspects: all}))
}

// badNewView is a primary that starts its view with a wrong NewView (§4.4, V2, V4).
var badNewView = tamper.Describe[usurper]("bad-new-view", tamper.Byzantine,
	"as primary of a new view sends a NewView with an invalid V or a wrong O, or none at all",
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

// forge removes all certificates from another replica's ViewChange. Then that replica's signature is invalid.
func (u *usurper) forge(m *wire.NewView) {
	i := slices.IndexFunc(m.ViewChanges, func(c wire.ViewChange) bool { return c.Replica != u.cfg.Self })
	c := &m.ViewChanges[i]
	c.Prepared, c.Stable = nil, wire.StableCert{}
	c.Sig[0] ^= 0x01
}

// hide replaces its own ViewChange in V by one without any certificate, from which another O may follow.
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

// misorder changes the digest of the first entry of O, so that a batch which may have committed there is lost. If O is
// empty, it adds an entry that does not follow from V.
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

// follows is what a correct primary puts into O (V3): for each sequence number above the highest stable checkpoint, up
// to the highest prepared one and at most a window, the digest that prepared in the highest view, or null if none
// prepared.
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

// oldViewChange is the accomplice of a replica that will forget (D8.6, V*): it remembers what that replica signed, and
// sends it in later view changes.
var oldViewChange = tamper.Describe[keeper]("old-view-change", tamper.Byzantine,
	"keeps the first ViewChange and the last votes of others, and shows them in later view changes; holds back its own NewView until then",
	"nothing that committed is forgotten; the next view is active within 2T")

// How many messages of others are kept.
const (
	keptChanges = 256
	keptVotes   = 1024
)

type keeper struct {
	rule
	Of      tamper.Peers       `default:"all" doc:"whose messages it keeps: replicas such as 1+2"`
	changes []*wire.ViewChange // the first one of each replica for each view
	votes   []wire.Message     // prepares and commits, the last ones
	begins  []wire.Message     // its own NewViews, which it has not sent
	shown   map[wire.View]bool // the views for which it has already sent what it remembers
}

func (k *keeper) ready() error {
	k.shown = map[wire.View]bool{}
	return k.lie(k.holdBack, wire.TypeNewView)
}

// hear gives its core only the first ViewChange of a replica for a view, instead of later ones.
func (k *keeper) hear(ev port.Event) []port.Event {
	switch m := received(ev).(type) {
	case *wire.ViewChange:
		first := k.keep(m)
		if k.active && !k.shown[m.View] {
			k.shown[m.View] = true
			k.show(m.View)
		}
		if k.active && first != m {
			return []port.Event{port.Received{From: ev.(port.Received).From, Msg: wire.Own(first)}} // verified on arrival
		}
	case *wire.Prepare, *wire.Commit:
		if by := endorsement(m).Replica; k.keeps(by) {
			k.votes = append(k.votes[max(0, len(k.votes)-keptVotes+1):], m)
		}
	default:
	}
	return []port.Event{ev}
}

func (k *keeper) keeps(of wire.ReplicaID) bool { return of != k.cfg.Self && k.Of.Replica(of) }

// keep returns the first ViewChange of a replica for a view.
func (k *keeper) keep(m *wire.ViewChange) *wire.ViewChange {
	if !k.keeps(m.Replica) {
		return m
	}
	same := func(old *wire.ViewChange) bool { return old.View == m.View && old.Replica == m.Replica }
	if i := slices.IndexFunc(k.changes, same); i >= 0 {
		return k.changes[i]
	}
	if len(k.changes) < keptChanges {
		k.changes = append(k.changes, m)
	}
	return m
}

// show sends to all, during a change to a view, the messages of others that it has kept, and its own NewViews that it
// did not send before.
func (k *keeper) show(view wire.View) {
	told := slices.Clone(k.begins)
	for _, m := range k.changes {
		if m.View+1 >= view { // messages of this view change, and of the one before
			told = append(told, m)
		}
	}
	for _, m := range append(told, k.votes...) {
		k.spread(m)
	}
}

// holdBack keeps its NewView.
func (k *keeper) holdBack(_ port.Source, m wire.Message) []wire.Message {
	if !slices.Contains(k.begins, m) && len(k.begins) < keptChanges {
		k.begins = append(k.begins, m)
	}
	return nil
}
