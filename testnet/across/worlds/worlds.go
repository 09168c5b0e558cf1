// Package worlds hosts the transactions of package across in simulated clusters beside each other.
//
// Each driver is a program of every world. The clusters' liars sign whatever a lying driver asks for, and vouch for what is
// not so. The package must not decide anything by chance other than the seed's, and judges nothing.
package worlds

import (
	"bytes"
	"math/rand/v2"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine/attest"
	"tagma/statemachine/commit"
	"tagma/testnet/across"
	"tagma/testnet/sim"
)

// Host implements across.Host over worlds that share a clock.
type Host struct {
	Load *across.Load

	// Acted, unless nil, is called whenever a group answered a program's operation.
	Acted func(group int, o *sim.Operation)

	worlds  []*sim.World
	names   []string
	opt     across.Options
	random  *rand.Rand
	elapsed time.Duration // by how much the clocks were set forward
	patient time.Duration // how long a program waits for an answer
}

// clockZero is what the clocks of worlds show at the beginning, in nanoseconds since the Unix epoch.
const clockZero = sim.Epoch

// New prepares a workload over clusters, before their worlds are made. Patience is how long a program waits for an answer.
func New(o across.Options, patience time.Duration) *Host {
	return &Host{opt: o, random: rand.New(rand.NewPCG(o.Seed, 0x686f_7374)), patient: patience}
}

// Prepare adds to the options of the next world what the workload needs there. Cluster must be set.
func (h *Host) Prepare(o *sim.Options) {
	group := len(h.names)
	h.names = append(h.names, o.Cluster)
	o.Administrators = []int{0}
	if len(h.worlds) > 0 {
		o.Beside = h.worlds[0]
	}
	o.Applied = func(a sim.Applied) {
		if h.Load == nil {
			return
		}
		if broken := h.Load.Executed(group, a.Op, a.Result); broken != "" {
			h.worlds[group].Fail("I20", "%s", broken)
		}
	}
	o.Vouch = func(_ wire.ReplicaID, truth []byte) ([]byte, bool) { return h.vouch(truth) }
}

// Add adds the world that was made with the options that Prepare changed.
func (h *Host) Add(w *sim.World) { h.worlds = append(h.worlds, w) }

// Begin begins the workload, once all worlds are there.
func (h *Host) Begin(machines []string) {
	var groups []across.Group
	for i, w := range h.worlds {
		m := w.Members()
		groups = append(groups, across.Group{
			Group: commit.Group{ID: m.ID, Name: h.names[i], Machine: machines[i], Epoch: m.Epoch, Crash: m.Crash, Keys: m.Keys},
			Forge: func(statement []byte) []attest.Signature { return forge(w, statement) },
		})
	}
	h.Load = across.New(h.opt, h, groups)
	h.Load.Begin()
}

// forge signs a statement with the keys of all liars of a cluster.
func forge(w *sim.World, statement []byte) (all []attest.Signature) {
	for id := range w.Members().Keys {
		if r := wire.ReplicaID(id); !w.Correct(r) {
			b := attest.Bytes(w.Config().Cluster, w.Config().Epoch, id, statement)
			all = append(all, attest.Signature{Replica: id, Sig: w.Sign(r)(b)})
		}
	}
	return all
}

// vouch is what a liar signs when it is asked: nothing, what is so, or the opposite.
func (h *Host) vouch(truth []byte) ([]byte, bool) {
	switch h.random.IntN(3) {
	case 0:
		return nil, false
	case 1:
		return truth, len(truth) > 0
	default:
		lie := bytes.Clone(truth)
		if len(lie) < 33 {
			return nil, false
		}
		fact := &lie[len(lie)-33] // stands before the transaction
		*fact = byte(1 + h.random.IntN(4))
		return lie, true
	}
}

// After implements across.Host.
func (h *Host) After(d time.Duration, do func()) { h.worlds[0].At(h.Now()+d, do) }

// Elapse implements across.Host: the clocks are set forward.
func (h *Host) Elapse(d time.Duration, do func()) {
	for _, w := range h.worlds {
		for id := range w.Members().Keys {
			w.ClockJump(wire.ReplicaID(id), d)
		}
	}
	h.elapsed += d
	h.After(time.Second, do)
}

// Now implements across.Host.
func (h *Host) Now() time.Duration { return h.worlds[0].Now() }

// Wall implements across.Host.
func (h *Host) Wall() time.Time { return time.Unix(0, clockZero+int64(h.Now()+h.elapsed)) }

// Join implements across.Host.
func (h *Host) Join() across.Program {
	p := &program{h: h}
	for _, w := range h.worlds {
		p.in = append(p.in, w.Join())
	}
	return p
}

// program implements across.Program: it is a program of every world.
type program struct {
	h    *Host
	in   []*sim.Program
	life int
}

// Do implements across.Program.
func (p *program) Do(group int, op []byte, done func(result []byte)) {
	life, over := p.life, false
	end := func(result []byte) { // the session's code may be running, so what follows comes after it
		if !over {
			over = true
			p.h.After(0, func() {
				if life == p.life {
					done(result)
				}
			})
		}
	}
	o := p.in[group].Do([][]byte{op}, false, func(o *sim.Operation) {
		if !o.Known || o.Outcome != wire.OutcomeExecuted || len(o.Results) != 1 {
			end(nil)
			return
		}
		if p.h.Acted != nil {
			p.h.Acted(group, o)
		}
		end(o.Results[0])
	})
	if o == nil { // the program does not run
		return
	}
	p.h.After(p.h.patient, func() {
		if life == p.life && !over {
			p.in[group].GiveUp(o)
			end(nil)
		}
	})
}

// Attest implements across.Program.
func (p *program) Attest(group int, op []byte, done func(*attest.Certificate)) {
	life := p.life
	p.in[group].Attest(op, p.h.patient, func(c *attest.Certificate) {
		if life == p.life {
			done(c)
		}
	})
}

// Kill implements across.Program. The clients end after all that happens at this moment, since one of them may be the
// caller.
func (p *program) Kill(midway bool) {
	if midway {
		for _, in := range p.in {
			in.Kill(1, sim.AfterFirstSend, p.die)
		}
		return
	}
	p.die()
}

// die ends the program in all worlds.
func (p *program) die() {
	p.life++
	p.h.After(0, func() {
		for _, in := range p.in {
			in.Kill(0, sim.BeforeSend, nil)
		}
	})
}

// Start implements across.Program.
func (p *program) Start() {
	p.h.After(0, func() {
		for _, in := range p.in {
			in.Start()
		}
	})
}

// Life implements across.Program.
func (p *program) Life() int { return p.life }
