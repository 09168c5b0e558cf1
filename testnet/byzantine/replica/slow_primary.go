package replica

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// slowPrimary does all that a primary may without being proven faulty, or timed out by a single request: each pre-prepare
// comes just below the timeout, and holds one request.
var slowPrimary = tamper.Describe[dawdler]("slow-primary", tamper.Timing,
	"as primary sends each pre-prepare 0.9T late, in batches of one, the next when the last one was executed",
	"throughput ≥ 50 % after 10T, where more than one request is asked for at a time; a lone client gets one each 0.9T")

// dawdler gives its core one request at a time while it is primary. The others wait in front of the core.
type dawdler struct {
	rule
	Delay   time.Duration           `default:"0.9T" doc:"how late: a duration, or a multiple of the view timeout T"`
	waiting []port.Event            // requests that the core has yet to get, the oldest first
	known   map[wire.RequestID]room // neither list grows beyond mostHeld
	inside  int
}

func (d *dawdler) ready() error {
	d.known = map[wire.RequestID]room{}
	return d.lie(d.delayed(&d.Delay), wire.TypePrePrepare)
}

// room is where a request is that was not executed yet.
type room int

const (
	outside room = 1 + iota
	inside
)

func (d *dawdler) hear(ev port.Event) []port.Event {
	holds := d.awake && d.cfg.Primary(d.view) == d.cfg.Self
	var out []port.Event
	switch e := ev.(type) {
	case port.Received:
		if r, ok := e.Msg.Message().(*wire.Request); ok && holds && d.keep(r.ID, ev) {
			return d.next(nil)
		}
	case port.Executed:
		for _, r := range e.Replies {
			if d.known[r.ID] == inside {
				d.inside--
			}
			delete(d.known, r.ID)
		}
	default: // goes straight to the core
	}
	out = append(out, ev)
	if holds {
		return d.next(out)
	}
	return d.letGo(out)
}

// keep puts a request in line, and reports whether the core is not to get it now.
func (d *dawdler) keep(id wire.RequestID, ev port.Event) bool {
	switch {
	case d.known[id] == inside || len(d.known) >= mostHeld:
		return false
	case d.known[id] == outside: // sent again
		return true
	}
	d.known[id] = outside
	d.waiting = append(d.waiting, ev)
	return true
}

// next appends the first request in line if the core has none.
func (d *dawdler) next(out []port.Event) []port.Event {
	for d.inside == 0 && len(d.waiting) > 0 {
		ev := d.waiting[0]
		d.waiting = d.waiting[1:]
		id := ev.(port.Received).Msg.Message().(*wire.Request).ID
		if d.known[id] == outside { // not executed meanwhile, in somebody else's batch
			d.known[id], d.inside = inside, 1
			out = append(out, ev)
		}
	}
	return out
}

// letGo appends everything in line: the replica does not order now.
func (d *dawdler) letGo(out []port.Event) []port.Event {
	if len(d.known) > 0 {
		out = append(out, d.waiting...)
		d.waiting, d.inside = nil, 0
		clear(d.known)
	}
	return out
}
