package replica

import (
	"slices"

	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// oldViewChange is the accomplice of a replica that will forget (D8.6, V*): it keeps what that one signed, and shows it when
// it suits.
var oldViewChange = tamper.Describe[keeper]("old-view-change", tamper.Byzantine,
	"keeps the first ViewChange and the last votes of others, and shows them in later view changes; holds back its own NewView until then",
	"nothing that committed is forgotten; the next view is active within 2T")

// How much is kept of each replica.
const (
	keptViews = 64
	keptVotes = 256
)

type keeper struct {
	rule
	Of      tamper.Peers                          `default:"all" doc:"whose messages it keeps: replicas such as 1+2"`
	changes map[wire.ReplicaID][]*wire.ViewChange // the first one for each view
	votes   map[wire.ReplicaID][]wire.Message     // prepares and commits, the last ones
	begins  []wire.Message                        // its own NewViews, that nobody was shown
	shown   map[wire.View]bool                    // for which view it has shown what it keeps
}

func (k *keeper) ready() error {
	k.changes, k.votes = map[wire.ReplicaID][]*wire.ViewChange{}, map[wire.ReplicaID][]wire.Message{}
	k.shown = map[wire.View]bool{}
	return k.lie(k.holdBack, wire.TypeNewView)
}

// hear gives its core the first ViewChange of a replica for a view in the place of later ones.
func (k *keeper) hear(ev pbft.Event) []pbft.Event {
	switch m := received(ev).(type) {
	case *wire.ViewChange:
		first := k.keep(m)
		if k.awake && !k.shown[m.View] {
			k.shown[m.View] = true
			k.show(m.View)
		}
		if k.awake && first != m {
			return []pbft.Event{pbft.Received{From: ev.(pbft.Received).From, Msg: wire.Own(first)}} // verified when it came
		}
	case *wire.Prepare:
		k.keepVote(m.Replica, m)
	case *wire.Commit:
		k.keepVote(m.Replica, m)
	default:
	}
	return []pbft.Event{ev}
}

// keep returns the first ViewChange of a replica for a view.
func (k *keeper) keep(m *wire.ViewChange) *wire.ViewChange {
	if !k.Of.Replica(m.Replica) || m.Replica == k.cfg.Self {
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

func (k *keeper) keepVote(by wire.ReplicaID, m wire.Message) {
	if !k.Of.Replica(by) || by == k.cfg.Self {
		return
	}
	votes := append(k.votes[by], m)
	k.votes[by] = votes[max(0, len(votes)-keptVotes):]
}

// show tells everybody, in a change to a view, what it has kept of others, and the NewViews that it held back.
func (k *keeper) show(view wire.View) {
	for _, m := range k.begins {
		k.spread(m)
	}
	for _, id := range k.others() {
		for _, m := range k.changes[id] {
			if m.View+1 >= view { // of the change before, and of this one
				k.spread(m)
			}
		}
		for _, m := range k.votes[id] {
			k.spread(m)
		}
	}
}

// holdBack keeps its NewView.
func (k *keeper) holdBack(_ pbft.Source, m wire.Message) []wire.Message {
	if !slices.Contains(k.begins, m) && len(k.begins) < keptViews {
		k.begins = append(k.begins, m)
	}
	return nil
}
