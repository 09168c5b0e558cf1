package driver

import (
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Optimistic logging (D8.14): the records of a turn may become durable after the turn's messages have left. Records
// without which a start could not continue safely are still made durable first.

// behind holds two low watermarks: that of the durable part of the journal, and that of everything written so far.
type behind struct {
	durable, written wire.Seq
}

func (b *behind) note(rec wire.Record) { b.written = max(b.written, wire.StableIn(rec).Seq) }
func (b *behind) synced()              { b.durable = b.written }

// write writes the records of a turn. If the turn's effects need not wait until they are durable, it lets the journal do
// that later.
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

// mustSync reports whether a turn writes or does something before which everything written must be durable. After an
// unclean stop, the journal must tell a start which views were left and entered and which states were announced and
// given to others, and its stable checkpoint must tell how far votes and execution went.
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
		default: // other work changes nothing that a start finds
		}
	}
	return false
}

// comesFirst reports whether a record must be durable before the effects of its turn are performed.
func (d *Driver) comesFirst(rec wire.Record) bool {
	switch rec := rec.(type) {
	case *wire.Early, *wire.Clean, *wire.Activated, *wire.Installed:
		return true
	case *wire.Sent:
		switch rec.Msg.(type) {
		case *wire.Checkpoint, *wire.ViewChange, *wire.NewView:
			return true
		default: // a vote for a slot: a start keeps silent below the high watermark that the durable journal shows
			return wire.RecordSeq(rec) > d.behind.durable+d.cfg.LogWindow
		}
	default: // what only a vote depends on: losing it is like losing the vote
		return false
	}
}
