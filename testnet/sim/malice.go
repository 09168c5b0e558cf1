package sim

import (
	"fmt"
	"slices"
	"time"

	"tagma/internal/machines"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	rogues "tagma/testnet/byzantine/client"
	malicious "tagma/testnet/byzantine/replica"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/check"
	"tagma/testnet/history"
)

// actor returns a replica's core, with its attackers around it if it has any.
func (n *node) actor() (driver.Core, error) {
	core := n.wrapped(n.w.opt.Inside, n.replica)
	n.spoil = nil
	for _, m := range n.malice {
		switch frames, err := malicious.NewFrames(m.Choice); {
		case err != nil:
			return nil, err
		case frames != nil:
			n.spoil = append(n.spoil, spoiler{frames, m.From, m.Until})
		}
		from, until := m.From-n.w.now, m.Until // in the time of the attacker's own clock, which begins now
		if until > 0 {
			until = max(until-n.w.now, 1)
		}
		attacker, err := malicious.New(m.Choice, n.cfg, core, func(b []byte) wire.Signature { return n.party.sign(b) },
			malicious.Options{When: malicious.Between(from, until), Client: n.w.clientKey, Recording: n.w.attackers})
		if err != nil {
			return nil, err
		}
		core = attacker
	}
	return n.wrapped(n.w.opt.Around, core), nil
}

// spoiler changes the frames that leave a replica, from one time until another.
type spoiler struct {
	frames      *malicious.Frames
	from, until time.Duration
}

// spoiled returns the frames that go to a replica in place of one frame.
func (n *node) spoiled(to wire.ReplicaID, frame []byte) [][]byte {
	frames := [][]byte{frame}
	for _, s := range n.spoil {
		if now := n.w.now; now < s.from || s.until > 0 && now >= s.until {
			continue
		}
		before := s.frames.Lies()
		var out [][]byte
		for _, f := range frames {
			out = append(out, s.frames.Pass(to, f)...)
		}
		frames = out
		n.w.hostile[n.id] += int(s.frames.Lies() - before)
	}
	return frames
}

// HostileFrames returns how many frames a malicious replica sent that are no valid message.
func (w *World) HostileFrames(id wire.ReplicaID) int { return w.hostile[id] }

// rogueTick is how often a malicious client is told the time.
const rogueTick = 5 * time.Millisecond

// Host adds a malicious client that is active from one time until another; until 0 is the end of the run. It has links like
// any other client, and replaces the client that has its number, if there is one. Host must be called before anything has
// happened. Make makes the client from its configuration.
func (w *World) Host(number int, from, until time.Duration, make func(rogues.Config, tamper.Sign) (rogues.Client, error)) error {
	i := slices.IndexFunc(w.clients, func(c *client) bool { return c.index == number })
	if i < 0 {
		i = len(w.clients)
		w.clients = append(w.clients, newClient(w, number))
		w.clients[i].begin()
	}
	c := w.clients[i]
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

// misbehave calls a malicious client's Tick again and again, and sends the frames that it returns.
func (c *client) misbehave(from, until time.Duration) {
	if until > 0 && c.w.now >= until {
		return
	}
	c.throw(c.rogue.Tick(c.w.now - from))
	c.w.At(c.w.now+rogueTick, func() { c.misbehave(from, until) })
}

// throw sends the frames of a malicious client, each to every process of a replica. It returns how many of them could be
// sent.
func (c *client) throw(parcels []rogues.Parcel) (taken int) {
	for _, p := range parcels {
		read := decode(p.Frame)
		for _, n := range c.w.byID[p.To] {
			if c.send(n, p.Frame, read) {
				taken++
			}
		}
	}
	return taken
}

// Throw sends frames of a client that Host added, after all other events of this moment, and calls taken with how many of
// them the links took.
func (w *World) Throw(number int, parcels []rogues.Parcel, taken func(int)) {
	i := slices.IndexFunc(w.clients, func(c *client) bool { return c.index == number })
	w.At(w.now, func() { taken(w.clients[i].throw(parcels)) })
}

// ClientSign signs with the key of a client.
func (w *World) ClientSign(client int) func([]byte) wire.Signature {
	p := w.keys.party("client", client)
	return func(b []byte) wire.Signature { return p.sign(b) }
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

// host adds the malicious clients of a plan.
func (p *Plan) host(w *World) error {
	for i, r := range p.Rogues {
		choice, err := byzantine.ParseClientChoice(r.Behaviour)
		if err != nil {
			return fmt.Errorf("rogue client %d: %w", i, err)
		}
		err = w.Host(p.Clients+i, r.From, r.Until, func(c rogues.Config, s tamper.Sign) (rogues.Client, error) {
			c.Operation = func(n uint64) []byte { return w.rogueOperation(i, n) }
			return rogues.New(choice, c, s)
		})
		if err != nil {
			return fmt.Errorf("rogue client %d: %w", i, err)
		}
	}
	return nil
}

// rogueOperation returns an operation of a malicious client. It uses keys on which no correct client's answers depend.
func (w *World) rogueOperation(rogue int, n uint64) []byte {
	op := check.Op{Kind: check.Put, Key: fmt.Sprintf("rogue%d", rogue), Value: fmt.Sprint(n)}
	if w.opt.Machine == machines.Bank { // names an account that does not exist, so no audit counts it
		op = check.Op{Kind: check.Balance, Key: fmt.Sprintf("rogue%d/%d", rogue, n)}
	}
	return history.Encode(&op)
}
