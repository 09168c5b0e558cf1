package replica

import (
	"errors"
	"slices"
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// This file manages the states that a donor holds for others (X2). A replica uses only one pin at a time, so that a
// faulty replica cannot take all pins. If all pins are in use and another replica needs one, the oldest pin is ended.

// Bounds of what a donor holds for others.
const (
	maxPins     = 2                // pins for replicas; a backup has one more
	pinPatience = 10 * time.Second // a pin ends this long after its last use
	pinLifetime = 60 * time.Second // and at the latest this long after it was made
	outsideLife = 10 * time.Minute // lifetime of a backup's pin: longer, because a backup is given less at a time
	pinTurn     = 15 * time.Second // a pin that is younger than this is not ended to make room for another replica
	keptJournal = 2 << 30          // bytes of the journal whose deletion pins may delay
)

// pin is a checkpoint whose state is held for others.
type pin struct {
	cert        wire.StableCert
	outside     bool // made for a backup
	source      *transfer.Source
	began, used time.Duration
}

// pinFor returns the pin of a checkpoint for a replica, and makes the pin if there is none and the bounds allow it. It
// returns nil if that checkpoint is not served, or not now.
func (d *Donor) pinFor(from wire.ReplicaID, seq wire.Seq, now time.Duration) *pin {
	a := &d.askers[from]
	p := d.pinned(seq)
	if p == nil {
		i := slices.IndexFunc(d.offers, func(c wire.StableCert) bool { return c.Seq == seq })
		if i < 0 || now < a.mayOpen {
			return nil
		}
		was := a.pin
		a.pin = nil // the pin that this replica used so far may now be ended to make room
		if !d.makeRoom(from == Outside(d.cfg), now) {
			a.pin = was
			return nil
		}
		if p = d.open(i, from == Outside(d.cfg), now); p == nil {
			return nil
		}
		// Bounds the work that one replica causes by asking for one state after the other to be indexed.
		a.mayOpen = now + d.cfg.ViewTimeout/2
		if was != nil && !d.isUsed(was) {
			d.unpin(was)
		}
	}
	a.pin, p.used = p, now
	return p
}

// pinned returns the pin of a checkpoint if there is one.
func (d *Donor) pinned(seq wire.Seq) *pin {
	for _, p := range d.pins {
		if p.cert.Seq == seq {
			return p
		}
	}
	return nil
}

// makeRoom ends a pin if there are as many as allowed. It ends one that nobody uses, or otherwise the oldest one if that
// is older than pinTurn. A backup has a pin of its own, which does not count as a replica's.
func (d *Donor) makeRoom(outside bool, now time.Duration) bool {
	pins := slices.DeleteFunc(slices.Clone(d.pins), func(p *pin) bool { return p.outside != outside })
	if len(pins) == 0 || !outside && len(pins) < maxPins {
		return true
	}
	oldest := pins[0] // pins are in the order in which they were made
	for _, p := range pins {
		if !d.isUsed(p) {
			d.unpin(p)
			return true
		}
	}
	if now-oldest.began < pinTurn {
		return false
	}
	d.unpin(oldest)
	return true
}

func (d *Donor) isUsed(p *pin) bool {
	return slices.ContainsFunc(d.askers, func(a asker) bool { return a.pin == p })
}

// open pins the state of an offer. If the store no longer has that state, or has another one than the certificate says,
// the offer is withdrawn. Otherwise replicas would ask for the state again and again.
func (d *Donor) open(offer int, outside bool, now time.Duration) *pin {
	cert := d.offers[offer]
	tree, view, err := d.store.Pin(uint64(cert.Seq))
	if err == nil && tree.Root() != cert.Digest {
		tree.Release()
		view.Close()
		err = statemachine.ErrNotRetained
	}
	if err != nil {
		if errors.Is(err, statemachine.ErrNotRetained) {
			d.offers = slices.Delete(d.offers, offer, offer+1)
		}
		return nil
	}
	var options transfer.SourceOptions
	if outside {
		options.IndexBytes = outsideIndex
	}
	p := &pin{cert: cert, outside: outside, source: transfer.NewSource(tree, view, options), began: now, used: now}
	d.pins = append(d.pins, p)
	d.hold()
	return p
}

// hold prevents the deletion of journal records above the lowest pin (X2).
func (d *Donor) hold() {
	if len(d.pins) == 0 {
		d.votes.Release()
		return
	}
	low := d.pins[0].cert.Seq
	for _, p := range d.pins {
		low = min(low, p.cert.Seq)
	}
	d.votes.Keep(low)
}

// Tick ends pins that were not used for a while or were held for long enough. A receiver then continues with a newer
// checkpoint (X7).
func (d *Donor) Tick(now time.Duration) {
	held := d.votes.Bytes()
	for _, p := range slices.Clone(d.pins) {
		life := pinLifetime
		if p.outside {
			life = outsideLife
		}
		if now-p.used >= pinPatience || now-p.began >= life || held > keptJournal {
			d.unpin(p)
		}
	}
}

func (d *Donor) unpin(p *pin) {
	p.source.Close()
	d.pins = slices.DeleteFunc(d.pins, func(other *pin) bool { return other == p })
	for i := range d.askers {
		if d.askers[i].pin == p {
			d.askers[i].pin = nil
		}
	}
	d.hold()
}
