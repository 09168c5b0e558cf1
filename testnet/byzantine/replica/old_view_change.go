package replica

import (
	"slices"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// oldViewChange is the accomplice of a replica that will forget (D8.6, V*): it keeps what that one signed, and shows it when
// it suits.
var oldViewChange = tamper.Describe[keeper]("old-view-change", tamper.Byzantine,
	"keeps the first ViewChange and the last votes of others, and shows them in later view changes; holds back its own NewView until then",
	"nothing that committed is forgotten; the next view is active within 2T")

// How much is kept of others, in messages.
const (
	keptChanges = 256
	keptVotes   = 1024
)

type keeper struct {
	rule
	Of      tamper.Peers       `default:"all" doc:"whose messages it keeps: replicas such as 1+2"`
	changes []*wire.ViewChange // the first one of each replica for each view
	votes   []wire.Message     // prepares and commits, the last ones
	begins  []wire.Message     // its own NewViews, that nobody was shown
	shown   map[wire.View]bool // for which view it has shown what it keeps
}

func (k *keeper) ready() error {
	k.shown = map[wire.View]bool{}
	return k.lie(k.holdBack, wire.TypeNewView)
}

// hear gives its core the first ViewChange of a replica for a view in the place of later ones.
func (k *keeper) hear(ev port.Event) []port.Event {
	switch m := received(ev).(type) {
	case *wire.ViewChange:
		first := k.keep(m)
		if k.awake && !k.shown[m.View] {
			k.shown[m.View] = true
			k.show(m.View)
		}
		if k.awake && first != m {
			return []port.Event{port.Received{From: ev.(port.Received).From, Msg: wire.Own(first)}} // verified when it came
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
	for _, old := range k.changes {
		if old.View == m.View && old.Replica == m.Replica {
			return old
		}
	}
	if len(k.changes) < keptChanges {
		k.changes = append(k.changes, m)
	}
	return m
}

// show tells everybody, in a change to a view, what it has kept of others, and the NewViews that it held back.
func (k *keeper) show(view wire.View) {
	told := slices.Clone(k.begins)
	for _, m := range k.changes {
		if m.View+1 >= view { // of the change before, and of this one
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
