package driver

import (
	"errors"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Driver connects one core to its ports. It is not safe for concurrent use.
type Driver struct {
	cfg       *wire.Config
	core      Core
	journal   Journal
	sign      func([]byte) wire.Signature
	transport Transport
	machine   Machine
	observers []observer
	guard     *Guard // nil for an attacker

	loopback []loop        // own broadcasts, durable, to be passed to the core in its next turn
	notes    []wire.Record // records that wait for the next record that must be durable
	silent   bool          // this replica's own state is wrong, so no replies are sent (K2)
	view     wire.View     // the newest view known to be active, for replies that the core does not see
	failed   error         // final
	behind   behind
	turn     turn
	spare    []loop // memory to be reused
}

// Ports are what a driver works with. Observers and Log may be empty.
type Ports struct {
	Journal   Journal
	Signer    Signer
	Transport Transport
	Machine   Machine
	Observers []Observer
	Log       wire.Log // the records in the journal: nothing is signed that contradicts them (D7)
	Unguarded bool     // an attacker's driver signs anything
}

// New returns a driver around a core.
func New(cfg *wire.Config, core Core, p Ports) *Driver {
	d := &Driver{
		cfg: cfg, core: core, journal: p.Journal, transport: p.Transport,
		machine: p.Machine, observers: observersOf(p.Observers),
	}
	if !p.Unguarded {
		d.guard = NewGuard(cfg, p.Log)
	}
	d.sign = func(b []byte) wire.Signature { return p.Signer.Sign(b) }
	for _, rec := range core.Anchor() {
		if head, ok := rec.(*wire.Head); ok {
			d.view = head.View
		}
		d.behind.note(rec)
	}
	d.behind.synced()
	return d
}

// Turn steps the core through its own broadcasts of the last turn and then through events, makes every record durable with
// one sync, and then performs the effects. An error is final: the process must stop at once, since it no longer knows what
// is durable (D6). If a turn could not be made durable, none of its effects was performed, and no turn follows.
func (d *Driver) Turn(events []port.Event) error {
	if d.failed == nil {
		d.failed = d.takeTurn(events)
	}
	return d.failed
}

func (d *Driver) takeTurn(events []port.Event) error {
	loops := d.loopback
	d.loopback = nil
	for i, l := range loops {
		if err := d.step(l.event); err != nil {
			return err
		}
		loops[i].record = nil // the core knows the record now, so its anchor contains it
	}
	clear(loops)
	d.spare = loops[:0]
	for _, ev := range events {
		if d.answered(ev) {
			continue
		}
		if err := d.step(ev); err != nil {
			return err
		}
	}
	return d.perform()
}

// Pending reports whether broadcasts of the core wait to be passed to it in another turn.
func (d *Driver) Pending() bool { return len(d.loopback) > 0 }

// errStopped is the error of a driver that was closed.
var errStopped = errors.New("the replica was stopped")

// Close makes everything durable that still waits, and has the core record that the end is clean (D8.14). After an
// earlier error it writes nothing and returns that error. No turn may follow.
func (d *Driver) Close() error {
	switch {
	case errors.Is(d.failed, errStopped):
		return nil
	case d.failed != nil:
		return d.failed
	}
	d.failed = errStopped
	if err := d.step(port.Stop{}); err != nil {
		return err
	}
	records := append(d.turn.records, d.notes...)
	if len(records) == 0 && !d.cfg.Optimistic {
		return nil
	}
	return d.journal.Append(records, d.anchor)
}

// answered replies to a request that was already executed, without passing it to the core (C3).
func (d *Driver) answered(ev port.Event) bool {
	received, ok := ev.(port.Received)
	if !ok {
		return false
	}
	req, ok := received.Msg.Message().(*wire.Request)
	if !ok {
		return false
	}
	reply, done := d.machine.Lookup(req)
	if done && received.From.Client && !d.silent {
		reply.View = d.view
		d.turn.replies = append(d.turn.replies, reply)
	}
	return done
}
