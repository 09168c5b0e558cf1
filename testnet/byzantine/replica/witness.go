package replica

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Witness stands on both sides of an attacker and counts the steps in which it did not do what its core did: an experiment
// without lies proves nothing (I18). What an attacker does to frames, or to its links, it does not see.
type Witness struct {
	given   []port.Event // that the core was told in this step
	effects map[any]int  // of the core in this step, by what they are
	lies    int
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
		for _, effect := range out {
			w.effects[alike(effect)]++
		}
		return out
	}}
}

// Around is the attacker as the driver is to have it.
func (w *Witness) Around(attacker Core) Core {
	return ear{attacker, func(ev port.Event) []port.Effect {
		w.given, w.effects = nil, map[any]int{}
		out := attacker.Step(ev)
		if w.lied(ev, out) {
			w.lies++
		}
		return out
	}}
}

// Lies counts steps, over all lives of the replica.
func (w *Witness) Lies() int { return w.lies }

// alike is an effect, or stands for one that holds a list.
func alike(e port.Effect) any {
	type (
		offer    struct{ wire.Seq }
		transfer struct{ wire.Seq }
	)
	switch e := e.(type) {
	case port.Offer:
		return offer{e.Cert.Seq}
	case port.Transfer:
		return transfer{e.Target.Seq}
	default:
		return e
	}
}

// lied reports whether what came out is not what the core did when it was told what came in.
func (w *Witness) lied(ev port.Event, out []port.Effect) bool {
	if len(w.given) != 1 {
		return true
	}
	if tick, is := ev.(port.Tick); is && w.given[0] != port.Event(tick) {
		return true
	}
	for _, e := range out {
		w.effects[alike(e)]--
	}
	for _, n := range w.effects {
		if n != 0 {
			return true
		}
	}
	return false
}
