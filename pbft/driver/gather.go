package driver

import (
	"fmt"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// loop is something that goes back to the core: a broadcast of the core, or the answer to a request that it wanted to
// relay.
type loop struct {
	event  port.Event
	record wire.Record // the record that made it durable; nil if its kind is not journalled
}

// turn holds the effects that a turn has gathered and not yet performed.
type turn struct {
	records []wire.Record
	frames  []frame
	replies []*wire.Reply
	work    []port.Effect // Execute, Snapshot, Truncate, Transfer, Resume and Offer, in order
	loops   []loop
}

// frame is an encoded message for one replica, or for all others.
type frame struct {
	to    wire.ReplicaID
	all   bool
	bytes []byte
}

// step passes one event to the core and gathers the effects.
func (d *Driver) step(ev port.Event) error {
	effects := d.core.Step(ev)
	for _, o := range d.observers {
		if o.listens() {
			Tell(o.to, ev, effects)
		}
	}
	for _, effect := range effects {
		if err := d.gather(effect); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) gather(effect port.Effect) error {
	t := &d.turn
	switch e := effect.(type) {
	case port.Persist:
		d.persist(e.Record)
	case port.Note:
		d.notes = append(d.notes, e.Record)
	case port.Broadcast:
		return d.broadcast(e.Msg)
	case port.Send:
		if req, relay := e.Msg.(*wire.Request); relay && d.settled(req) {
			return nil
		}
		t.frames = append(t.frames, frame{to: e.To, bytes: wire.Encode(e.Msg)})
	case port.Respond:
		t.replies = append(t.replies, e.Reply)
	case port.Execute, port.Snapshot, port.Truncate, port.Transfer, port.Offer:
		t.work = append(t.work, e)
	case port.Resume:
		d.silent = false
		t.work = append(t.work, e)
	case port.Diverged:
		d.silent = true
	case port.Entered:
		d.view = e.View
	case port.Forgot, port.Accuse, port.Split, port.Dropped: // observers were told
	default:
		panic(fmt.Sprintf("driver: unknown effect %T", effect))
	}
	return nil
}

// settled handles a request that the core wants to relay. If the request need not be ordered any more, it is not
// relayed, and the core is told. This happens if the request's session expired after it was admitted: then no batch will
// contain it, and its timer would make this replica suspect a correct primary.
func (d *Driver) settled(req *wire.Request) bool {
	reply, done := d.machine.Lookup(req)
	if done {
		d.turn.loops = append(d.turn.loops, loop{event: port.Executed{Replies: []*wire.Reply{reply}}})
	}
	return done
}

// persist adds a record to the turn, after the pending records.
func (d *Driver) persist(r wire.Record) {
	d.turn.records = append(append(d.turn.records, d.notes...), r)
	d.notes = d.notes[:0]
}

// broadcast signs a message, journals it if it is a vote, and sends it to all other replicas and back to the core.
func (d *Driver) broadcast(m wire.Message) error {
	wire.Sign(d.cfg, m, d.sign)
	l := loop{event: port.Received{
		From: port.Source{Replica: d.cfg.Self, Loopback: true}, Msg: wire.Own(m),
	}}
	if wire.Durable(m) {
		if d.guard != nil {
			if err := d.guard.Admit(d.cfg, m); err != nil {
				return err
			}
		}
		l.record = &wire.Sent{Msg: m}
		d.persist(l.record)
	}
	d.turn.frames = append(d.turn.frames, frame{all: true, bytes: wire.Encode(m)})
	d.turn.loops = append(d.turn.loops, l)
	return nil
}
