package replica

import (
	"reflect"

	"tagma/pbft/port"
)

// Witness observes a core and the attacker that wraps it. It counts the steps in which the attacker changed something,
// because an experiment without lies proves nothing (I18). It does not notice what an attacker does to frames or links.
type Witness struct {
	given []port.Event  // events that the core received in this step
	did   []port.Effect // the core's effects for them
	lies  int
}

// ear is a core whose steps are replaced by a function.
type ear struct {
	Core
	step func(port.Event) []port.Effect
}

// Step calls step.
func (e ear) Step(ev port.Event) []port.Effect { return e.step(ev) }

// Within returns the observed core, which the attacker must wrap.
func (w *Witness) Within(core Core) Core {
	return ear{core, func(ev port.Event) []port.Effect {
		w.given = append(w.given, ev)
		out := core.Step(ev)
		w.did = append(w.did, out...)
		return out
	}}
}

// Around returns the observed attacker, which the driver must use.
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

// Lies returns the number of such steps, over all lives of the replica.
func (w *Witness) Lies() int { return w.lies }
