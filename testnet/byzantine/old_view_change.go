package byzantine

import "tagma/pbft"

// oldViewChange is the accomplice of a replica that will forget (D8.6, V*): it keeps what that one signed, and shows it when
// it suits.
var oldViewChange = Behaviour{
	Name:    "old-view-change",
	Model:   Byzantine,
	Summary: "keeps the first ViewChange and the last votes of others, and shows them in later view changes; holds back its own NewView until then",
	Bound:   "nothing that committed is forgotten; the next view is active within 2T",
	Parameters: []Parameter{
		{"of", all, "whose messages it keeps: replicas such as 1+2"},
	},
	build: newKeeper,
}

// How much is kept of each replica.
const (
	keptViews = 64
	keptVotes = 256
)

type keeper struct {
	honest
	seat
	of      *destinations
	changes map[pbft.ReplicaID][]*pbft.ViewChange // the first one for each view
	votes   map[pbft.ReplicaID][]pbft.Message     // prepares and commits, the last ones
	begins  []*pbft.NewView                       // its own, that nobody was shown
	shown   map[pbft.View]bool                    // for which view it has shown what it keeps
	say     []pbft.Effect
}

func newKeeper(v values, at seat) (Core, error) {
	k := &keeper{
		seat: at, changes: map[pbft.ReplicaID][]*pbft.ViewChange{}, votes: map[pbft.ReplicaID][]pbft.Message{},
		shown: map[pbft.View]bool{},
	}
	var err error
	k.of, err = v.destinations("of", at.cfg)
	return at.speaks(k), err
}

// hear gives its core the first ViewChange of a replica for a view in the place of later ones.
func (k *keeper) hear(ev pbft.Event, awake bool) []pbft.Event {
	e, is := ev.(pbft.Received)
	if !is || e.From.Loopback {
		return []pbft.Event{ev}
	}
	switch m := e.Msg.Message().(type) {
	case *pbft.ViewChange:
		first := k.keep(m)
		if awake && !k.shown[m.View] {
			k.shown[m.View] = true
			k.show(m.View)
		}
		if awake && first != m {
			e.Msg = pbft.Own(first) // it was verified when it came
			return []pbft.Event{e}
		}
	case *pbft.Prepare:
		k.vote(m.Replica, m)
	case *pbft.Commit:
		k.vote(m.Replica, m)
	default:
	}
	return []pbft.Event{ev}
}

// keep returns the first ViewChange of a replica for a view.
func (k *keeper) keep(m *pbft.ViewChange) *pbft.ViewChange {
	if !k.of.replica(m.Replica) || m.Replica == k.cfg.Self {
		return m
	}
	for _, old := range k.changes[m.Replica] {
		if old.View == m.View {
			return old
		}
	}
	if len(k.changes[m.Replica]) < keptViews {
		k.changes[m.Replica] = append(k.changes[m.Replica], m)
	}
	return m
}

func (k *keeper) vote(by pbft.ReplicaID, m pbft.Message) {
	if !k.of.replica(by) || by == k.cfg.Self {
		return
	}
	votes := append(k.votes[by], m)
	k.votes[by] = votes[max(0, len(votes)-keptVotes):]
}

// show tells everybody, in a change to a view, what it has kept of others, and the NewViews that it held back.
func (k *keeper) show(view pbft.View) {
	for _, m := range k.begins {
		k.say = append(k.say, k.toOthers(m)...)
	}
	for _, id := range k.others() {
		for _, m := range k.changes[id] {
			if m.View+1 >= view { // of the change before, and of this one
				k.say = append(k.say, k.toOthers(m)...)
			}
		}
		for _, m := range k.votes[id] {
			k.say = append(k.say, k.toOthers(m)...)
		}
	}
}

func (k *keeper) before(pbft.Event, bool) []pbft.Effect {
	out := k.say
	k.say = nil
	return out
}

func (k *keeper) twists(m pbft.Message) bool { return pbft.TypeOf(m) == pbft.TypeNewView && k.mine(m) }

// tell holds its NewView back.
func (k *keeper) tell(_ pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	own := m.(*pbft.NewView)
	for _, held := range k.begins {
		if held.View == own.View {
			return nil
		}
	}
	if len(k.begins) < keptViews {
		k.begins = append(k.begins, own)
	}
	return nil
}
