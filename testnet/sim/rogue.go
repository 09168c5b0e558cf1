package sim

import (
	"time"

	"tagma/pbft/wire"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
)

// rogueTick is how often a malicious client is told the time.
const rogueTick = 5 * time.Millisecond

// Host lets a malicious client at the cluster from one time until another one; 0 is the end. It has links like any other
// client, of the workload or beside it, and takes the place of the one of its number. It must be called before anything
// has happened. Make is given the rest of its configuration.
func (w *World) Host(number int, from, until time.Duration, make func(rogues.Config, tamper.Sign) (rogues.Client, error)) error {
	var c *client
	for _, there := range w.clients {
		if there.index == number {
			c = there
		}
	}
	if c == nil {
		c = newClient(w, number)
		w.clients = append(w.clients, c)
		c.begin()
	}
	rogue, err := make(rogues.Config{
		Cluster: w.cfg.Cluster, Replicas: w.opt.Replicas, Key: c.party.key, Session: 1,
		ViewTimeout: w.cfg.ViewTimeout,
	}, func(b []byte) wire.Signature { return c.party.sign(b) })
	if err != nil {
		return err
	}
	c.rogue = rogue
	w.At(from, func() { c.misbehave(from, until) })
	return nil
}

// misbehave tells a malicious client the time, again and again.
func (c *client) misbehave(from, until time.Duration) {
	if until > 0 && c.w.now >= until {
		return
	}
	c.throw(c.rogue.Tick(c.w.now - from))
	c.w.At(c.w.now+rogueTick, func() { c.misbehave(from, until) })
}

// throw sends what a malicious client wants sent: to every process of a replica, whatever it is.
func (c *client) throw(parcels []rogues.Parcel) {
	for _, p := range parcels {
		read := decode(p.Frame)
		for _, n := range c.w.byID[p.To] {
			c.send(n, p.Frame, read)
		}
	}
}

// Lies counts what malicious clients sent that no correct one would, and frames of malicious replicas that are no message.
func (w *World) Lies() (n uint64) {
	for _, c := range w.clients {
		if c.rogue != nil {
			n += c.rogue.Told().Lies
		}
	}
	for _, frames := range w.hostile {
		n += uint64(frames)
	}
	return n
}
