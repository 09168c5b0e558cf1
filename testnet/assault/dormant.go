package assault

import (
	"sync"

	"tagma/pbft/wire"
)

// Dormant is an attack, or a malicious client, that can be begun and ended again and again. Its methods may be called from
// any goroutine, and on nil, which is an attack that nobody makes.
type Dormant struct {
	options Options

	mu       sync.Mutex
	attacker *Attacker // nil while it sleeps
	past     Tally     // what it did when it was awake before
}

// NewDormant returns an attack that sleeps.
func NewDormant(o Options) *Dormant { return &Dormant{options: o} }

// Wake begins or ends the attack.
func (d *Dormant) Wake(on bool) error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if on == (d.attacker != nil) {
		return nil
	}
	if on {
		a, err := Start(d.options)
		d.attacker = a
		return err
	}
	told, err := d.attacker.Stop()
	d.past.add(told)
	d.attacker = nil
	return err
}

// Acts counts what was done to others so far.
func (d *Dormant) Acts() uint64 {
	told := d.Told()
	return told.Acts()
}

// Told is what the attack has been so far, whenever it was awake.
func (d *Dormant) Told() (sum Tally) {
	if d == nil {
		return sum
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if sum.add(d.past); d.attacker != nil {
		sum.add(d.attacker.Told())
	}
	return sum
}

// add sums two attacks up.
func (t *Tally) add(o Tally) {
	t.Streams, t.Refused, t.Frames, t.Dropped = t.Streams+o.Streams, t.Refused+o.Refused, t.Frames+o.Frames, t.Dropped+o.Dropped
	t.Held = max(t.Held, o.Held)
	t.Client.Parcels, t.Client.Lies = t.Client.Parcels+o.Client.Parcels, t.Client.Lies+o.Client.Lies
	if t.Client.Outcomes == nil {
		t.Client.Outcomes = make(map[wire.Outcome]uint64)
	}
	for outcome, n := range o.Client.Outcomes {
		t.Client.Outcomes[outcome] += n
	}
}

// Acts sums up an attack: lies of a malicious client that a link took, else frames, and streams that were got or tried for.
// An attack without any was none (I18).
func (t Tally) Acts() uint64 {
	if t.Client.Parcels > 0 {
		return min(t.Frames, t.Client.Lies)
	}
	return t.Frames + t.Streams + t.Refused
}
