package assault

import "sync"

// Dormant is an attack, or a malicious client, that can be begun and ended again and again. Its methods may be called from
// any goroutine, and on nil, which is an attack that nobody makes.
type Dormant struct {
	options Options

	mu       sync.Mutex
	attacker *Attacker // nil while it sleeps
	past     uint64    // what it did when it was awake before
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
	d.past += told.Acts()
	d.attacker = nil
	return err
}

// Acts counts what was done to others so far.
func (d *Dormant) Acts() uint64 {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.attacker == nil {
		return d.past
	}
	return d.past + d.attacker.Told().Acts()
}

// Acts sums up an attack: lies of a malicious client that a link took, else frames, and streams that were got or tried for.
// An attack without any was none (I18).
func (t Tally) Acts() uint64 {
	if t.Client.Parcels > 0 {
		return min(t.Frames, t.Client.Lies)
	}
	return t.Frames + t.Streams + t.Refused
}
