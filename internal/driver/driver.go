package driver

import (
	"fmt"

	"tagma/pbft"
)

// Driver connects one core to its ports. It is not safe for concurrent use.
type Driver struct {
	cfg       *pbft.Config
	core      Core
	journal   Journal
	signer    Signer
	transport Transport
	machine   Machine
	observer  Observer
	guard     *Guard // nil for an attacker

	loopback []loop        // own broadcasts, durable, for the core's next turn
	notes    []pbft.Record // wait for the next record that must be durable
	silent   bool          // own state is wrong: no replies (K2)
	turn     turn
}

// loop is a broadcast of ours on its way back to the core.
type loop struct {
	event  pbft.Received
	record pbft.Record // what made it durable; nil if it is of a kind that is not journalled
}

// turn is what a turn has gathered and not yet performed.
type turn struct {
	records []pbft.Record
	frames  []frame
	replies []*pbft.Reply
	work    []pbft.Effect // Execute, Snapshot and Truncate, in order
	loops   []loop
}

// frame is an encoded message for one replica, or for all others.
type frame struct {
	to    pbft.ReplicaID
	all   bool
	bytes []byte
}

// Ports are what a driver works with. All of them are needed but Guard.
type Ports struct {
	Journal   Journal
	Signer    Signer
	Transport Transport
	Machine   Machine
	Observer  Observer
	Guard     *Guard
}

// New returns a driver around a core.
func New(cfg *pbft.Config, core Core, p Ports) *Driver {
	return &Driver{
		cfg: cfg, core: core, journal: p.Journal, signer: p.Signer, transport: p.Transport,
		machine: p.Machine, observer: p.Observer, guard: p.Guard,
	}
}

// Turn steps the core through its own broadcasts of the last turn and then through events, makes every record durable
// with one sync, and performs what may only follow it. An error is final: the process must stop at once, since it no
// longer knows what is durable (D6).
func (d *Driver) Turn(events []pbft.Event) error {
	loops := d.loopback
	d.loopback = nil
	for i, l := range loops {
		if err := d.step(l.event); err != nil {
			return err
		}
		loops[i].record = nil // the core knows it now, so its anchor holds it
	}
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

// Pending reports whether the core's own broadcasts wait for another turn.
func (d *Driver) Pending() bool { return len(d.loopback) > 0 }

// Close writes the notes that still wait, for a clean end.
func (d *Driver) Close() error {
	if len(d.notes) == 0 {
		return nil
	}
	notes := d.notes
	d.notes = nil
	return d.journal.Append(notes, func() []pbft.Record { return d.anchor(notes) })
}

// answered replies to a request that was executed already, without troubling the core (C3).
func (d *Driver) answered(ev pbft.Event) bool {
	received, ok := ev.(pbft.Received)
	if !ok {
		return false
	}
	req, ok := received.Msg.Message().(*pbft.Request)
	if !ok {
		return false
	}
	reply, done := d.machine.Lookup(req)
	if done && received.From.Client && !d.silent {
		d.turn.replies = append(d.turn.replies, reply)
	}
	return done
}

// step gives the core one event and gathers its effects.
func (d *Driver) step(ev pbft.Event) error {
	for _, effect := range d.core.Step(ev) {
		if err := d.gather(effect); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) gather(effect pbft.Effect) error {
	t := &d.turn
	switch e := effect.(type) {
	case pbft.Persist:
		d.persist(e.Record)
	case pbft.Note:
		d.notes = append(d.notes, e.Record)
	case pbft.Broadcast:
		return d.broadcast(e.Msg)
	case pbft.Send:
		t.frames = append(t.frames, frame{to: e.To, bytes: pbft.Encode(e.Msg)})
	case pbft.Respond:
		t.replies = append(t.replies, e.Reply)
	case pbft.Execute, pbft.Snapshot, pbft.Truncate:
		t.work = append(t.work, e)
	case pbft.Accuse:
		d.observer.Accused(e.Evidence)
	case pbft.Diverged:
		d.silent = true
		d.observer.Diverged(e)
	case pbft.Entered:
		d.observer.Entered(e.View)
	case pbft.Dropped:
		d.observer.Dropped(e.Msg, e.Why)
	default:
		panic(fmt.Sprintf("driver: unknown effect %T", effect))
	}
	return nil
}

// persist adds a record to the turn, behind the notes that were made before it.
func (d *Driver) persist(r pbft.Record) {
	d.turn.records = append(append(d.turn.records, d.notes...), r)
	d.notes = d.notes[:0]
}

// broadcast signs a message, journals it if it is a vote, and sends it to all others and back to the core.
func (d *Driver) broadcast(m pbft.Message) error {
	pbft.Sign(d.cfg, m, func(b []byte) pbft.Signature { return d.signer.Sign(b) })
	l := loop{event: pbft.Received{
		From: pbft.Source{Replica: d.cfg.Self, Loopback: true}, Msg: pbft.Own(m),
	}}
	if pbft.Durable(m) {
		if d.guard != nil {
			if err := d.guard.Admit(d.cfg, m); err != nil {
				return err
			}
		}
		l.record = &pbft.Sent{Msg: m}
		d.persist(l.record)
	}
	d.turn.frames = append(d.turn.frames, frame{all: true, bytes: pbft.Encode(m)})
	d.turn.loops = append(d.turn.loops, l)
	return nil
}
