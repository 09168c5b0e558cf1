package byzantine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"tagma/pbft"
)

// mutate changes real messages a little: what it says is always nearly right, which is where bugs of protocols hide
// (Winter et al., ByzzFuzz).
var mutate = Behaviour{
	Name:  "mutate",
	Model: Byzantine,
	Summary: "changes what it sends by a step, well signed: the view, the sequence number or the phase of a statement, its digest, " +
		"its destination, or an entry of a certificate",
	Bound: "at most one view change for each bad primary; as a backup none; throughput ≥ 70 %",
	Parameters: []Parameter{
		{"kinds", all, "what it changes: view, seq, digest, phase, target, entry, such as view+seq"},
		{"types", all, "message types that it changes, such as prepare+view-change"},
		{"probability", "0.2", "how likely a message is changed for each destination, above 0 and up to 1"},
		{"seed", "0", "decides which ones, and how"},
	},
	build: newMutator,
}

// kinds of mutation: how is nil for the one that concerns no message.
var mutations = []struct {
	name string
	how  func(*mutator, pbft.Message) pbft.Message
}{
	{"view", (*mutator).otherView},
	{"seq", (*mutator).otherSeq},
	{"digest", (*mutator).otherDigest},
	{"phase", (*mutator).otherPhase},
	{"entry", (*mutator).otherEntry},
	{retarget, nil},
}

const retarget = "target"

type mutator struct {
	honest
	seat
	luck
	kinds  []string
	types  func(pbft.Type) bool
	recent []pbft.Digest // of its own statements, the newest last
}

// mostRecent is how many digests it remembers: what belongs a place or a checkpoint away.
const mostRecent = 4

func newMutator(v values, at seat) (Core, error) {
	m := &mutator{seat: at}
	for _, k := range mutations {
		if v["kinds"] == all || slices.Contains(strings.Split(v["kinds"], "+"), k.name) {
			m.kinds = append(m.kinds, k.name)
		}
	}
	if v["kinds"] != all && len(m.kinds) != strings.Count(v["kinds"], "+")+1 {
		return nil, fmt.Errorf("kinds: %q is not a list of view, seq, digest, phase, target and entry; write %q, or some such as view+seq",
			v["kinds"], all)
	}
	var err error
	if m.types, err = v.types("types"); err != nil {
		return nil, err
	}
	if m.luck, err = v.luck(0x6d7574); err != nil {
		return nil, err
	}
	return at.speaks(m), nil
}

// twists has each destination of what it may change looked at on its own.
func (m *mutator) twists(msg pbft.Message) bool {
	if d, has := digestOf(msg); has && !slices.Contains(m.recent, d) {
		m.recent = append(m.recent[max(0, len(m.recent)-mostRecent+1):], d)
	}
	_, status := msg.(*pbft.Status)
	return m.types(pbft.TypeOf(msg)) && (status || m.mine(msg))
}

// tell draws whether this destination is told something else, and what. A kind that does not suit the message leaves the
// draw to the next one.
func (m *mutator) tell(to pbft.ReplicaID, msg pbft.Message) []pbft.Effect {
	if m.dice.Float64() >= m.chance {
		return m.honest.tell(to, msg)
	}
	first := m.dice.IntN(len(m.kinds))
	for i := range m.kinds {
		kind := m.kinds[(first+i)%len(m.kinds)]
		if kind == retarget {
			others := m.others()
			return m.honest.tell(others[m.dice.IntN(len(others))], msg)
		}
		for _, k := range mutations {
			if k.name != kind {
				continue
			}
			if lie := k.how(m, msg); lie != nil {
				return m.honest.tell(to, m.signed(lie))
			}
		}
	}
	return m.honest.tell(to, msg)
}

// step is one up or down, and never below zero.
func step[N ~uint64](dice *rand.Rand, n, by N) N {
	if dice.IntN(2) == 0 && n >= by {
		return n - by
	}
	return n + by
}

// nextView is a view beside another one; of what only a primary says mostly one in which this replica is it, since nobody
// believes the rest.
func (m *mutator) nextView(v pbft.View, primary bool) pbft.View {
	if primary && m.dice.IntN(4) > 0 {
		return step(m.dice, v, pbft.View(m.cfg.N()))
	}
	return step(m.dice, v, 1)
}

// anotherDigest is one that stood in a statement lately, the null request's, or one of nothing.
func (m *mutator) anotherDigest(d pbft.Digest) pbft.Digest {
	from := []pbft.Digest{pbft.NullDigest, shifted(d, 0)}
	for _, r := range m.recent {
		if r != d {
			from = append(from, r)
		}
	}
	return from[m.dice.IntN(len(from))]
}

func digestOf(m pbft.Message) (pbft.Digest, bool) {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return m.Digest, true
	case *pbft.Prepare:
		return m.Digest, true
	case *pbft.Commit:
		return m.Digest, true
	case *pbft.Checkpoint:
		return m.Digest, true
	default:
		return pbft.Digest{}, false
	}
}
