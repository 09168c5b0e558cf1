package replica

import (
	"reflect"

	"tagma/pbft/port"
)

// Witness stands on both sides of an attacker and counts the steps in which it did not do what its core did: an experiment
// without lies proves nothing (I18). What an attacker does to frames, or to its links, it does not see.
type Witness struct {
	given []port.Event  // events that the core got in this step
	did   []port.Effect // the core's effects for them
	lies  int
}

// ear stands before a core.
type ear struct {
	Core
	step func(port.Event) []port.Effect
}

// Step is what it hears.
func (e ear) Step(ev port.Event) []port.Effect { return e.step(ev) }

// Within is the core as the attacker is to have it.
func (w *Witness) Within(core Core) Core {
	return ear{core, func(ev port.Event) []port.Effect {
		w.given = append(w.given, ev)
		out := core.Step(ev)
		w.did = append(w.did, out...)
		return out
	}}
}

// Around is the attacker as the driver is to have it.
func (w *Witness) Around(attacker Core) Core {
	return ear{attacker, func(ev port.Event) []port.Effect {
		w.given, w.did = nil, nil
		out := attacker.Step(ev)
		if !reflect.DeepEqual(w.given, []port.Event{ev}) || !reflect.DeepEqual(w.did, append([]port.Effect(nil), out...)) {
			w.lies++
		}
		return out
	}}
}

// Lies counts steps, over all lives of the replica.
func (w *Witness) Lies() int { return w.lies }
