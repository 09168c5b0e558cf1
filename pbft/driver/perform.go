package driver

import (
	"fmt"

	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// perform ends the turn: first it makes everything durable, then it does everything that others can see (D0).
func (d *Driver) perform() error {
	t := d.turn
	d.turn = turn{}
	if err := d.write(&t); err != nil {
		return fmt.Errorf("make %d records durable: %w", len(t.records), err)
	}
	d.loopback = t.loops
	for _, f := range t.frames {
		d.transmit(f)
	}
	for _, effect := range t.work {
		if err := d.work(effect); err != nil {
			return err
		}
	}
	for _, reply := range t.replies {
		d.transport.Respond(reply)
	}
	d.reuse(t)
	return nil
}

// sync makes the records of a turn durable.
func (d *Driver) sync(records []wire.Record) error {
	for _, o := range d.observers {
		if o.listens() {
			o.to.Syncing()
		}
	}
	if err := d.journal.Append(records, d.anchor); err != nil {
		return err
	}
	for _, o := range d.observers {
		if o.listens() {
			o.to.Synced(len(records))
		}
	}
	return nil
}

// reuse lets the next turn use the memory of a turn that was performed. It does not reuse the loops, because the core
// still gets those.
func (d *Driver) reuse(t turn) {
	clear(t.records)
	clear(t.frames)
	clear(t.replies)
	clear(t.work)
	d.turn = turn{
		records: t.records[:0], frames: t.frames[:0], replies: t.replies[:0], work: t.work[:0], loops: d.spare,
	}
	d.spare = nil
}

func (d *Driver) transmit(f frame) {
	if !f.all {
		d.transport.Send(f.to, f.bytes)
		return
	}
	for id := range d.cfg.Members {
		if wire.ReplicaID(id) != d.cfg.Self {
			d.transport.Send(wire.ReplicaID(id), f.bytes)
		}
	}
}

// work performs an effect that concerns execution or old data.
func (d *Driver) work(effect port.Effect) error {
	d.machine.Do(effect)
	e, is := effect.(port.Truncate)
	if !is {
		return nil
	}
	if d.guard != nil {
		d.guard.Forget(e.Below)
	}
	if err := d.journal.Truncate(e.Below, d.anchor); err != nil {
		return fmt.Errorf("shorten the journal behind sequence number %d: %w", e.Below, err)
	}
	return nil
}

// anchor returns the first records of a new segment: the core's own, and the votes that were written but have not come
// back to the core over the loopback yet.
func (d *Driver) anchor() []wire.Record {
	records := d.core.Anchor()
	for _, l := range d.loopback {
		if l.record != nil {
			records = append(records, l.record)
		}
	}
	return records
}

// Asker drives a replica that may have forgotten what it signed (D8.6). It needs no turns: it makes nothing durable and
// signs nothing, so its messages are sent at once.
type Asker struct{ *amnesia.Amnesiac }

// NewAsker returns one that asks under a fresh nonce.
func NewAsker(cfg *wire.Config, nonce uint64) Asker { return Asker{amnesia.New(cfg, nonce)} }

// Take gives the amnesiac an event, and sends the resulting messages.
func (a Asker) Take(ev port.Event, out Transport, observers ...Observer) error {
	effects := a.Step(ev)
	for _, o := range observersOf(observers) {
		if o.listens() {
			Tell(o.to, ev, effects)
		}
	}
	for _, effect := range effects {
		switch e := effect.(type) {
		case port.Send:
			out.Send(e.To, wire.Encode(e.Msg))
		case port.Respond:
			out.Respond(e.Reply)
		case port.Dropped: // observers were told
		default:
			return fmt.Errorf("a replica that asks what it signed does more than that: %T", effect)
		}
	}
	return nil
}
