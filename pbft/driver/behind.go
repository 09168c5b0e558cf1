package driver

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Optimistic logging (D8.14): what a turn wrote may become durable after what it sent has left. What a start must be able to
// rely on is durable first all the same.

// behind is how far the durable journal tells where the low watermark is, and with what was written since.
type behind struct {
	durable, written wire.Seq
}

func (b *behind) note(rec wire.Record) { b.written = max(b.written, wire.StableIn(rec).Seq) }
func (b *behind) synced()              { b.durable = b.written }

// write makes the records of a turn durable, or leaves that to the journal if what follows them may come first.
func (d *Driver) write(t *turn) error {
	for _, rec := range t.records {
		d.behind.note(rec)
	}
	switch {
	case d.cfg.Optimistic && !d.mustSync(t):
		return d.journal.Later(t.records, d.anchor)
	case d.cfg.Optimistic || len(t.records) > 0:
		if err := d.sync(t.records); err != nil {
			return err
		}
		d.behind.synced()
	}
	return nil
}

// mustSync reports whether a turn writes or does something that must not come before all that was written is durable: a
// start after an unclean stop knows from the journal which views were left and entered, which states were announced and
// given, and by its stable checkpoint how far votes and execution went.
func (d *Driver) mustSync(t *turn) bool {
	for _, rec := range t.records {
		if d.comesFirst(rec) {
			return true
		}
	}
	for _, effect := range t.work {
		switch e := effect.(type) {
		case port.Transfer, port.Resume:
			return true
		case port.Execute:
			if e.Seq > d.behind.durable+2*d.cfg.LogWindow {
				return true
			}
		default: // it changes nothing that a start finds
		}
	}
	return false
}

// comesFirst reports whether a record must be durable before its turn is performed.
func (d *Driver) comesFirst(rec wire.Record) bool {
	switch rec := rec.(type) {
	case *wire.Early, *wire.Clean, *wire.Activated, *wire.Installed:
		return true
	case *wire.Sent:
		switch rec.Msg.(type) {
		case *wire.Checkpoint, *wire.ViewChange, *wire.NewView:
			return true
		default: // a vote for a slot: below the high watermark that the journal tells of, a start keeps silent about it
			return wire.RecordSeq(rec) > d.behind.durable+d.cfg.LogWindow
		}
	default: // what a vote rests on: lost, it is as if the vote was
		return false
	}
}
