package sim

import (
	"tagma/internal/session"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// firstProgram is the number of a world's first program: above those of the workload's clients and of malicious ones.
const firstProgram = 3000

// Program is a client of a world in addition to those of its workload. The code that has added it decides what it does.
// A program that uses several clusters has one in each of their worlds.
type Program struct{ c *client }

// Join adds a program and starts it. If programs join in the same order, they have the same keys in each run of a seed.
func (w *World) Join() *Program {
	number := firstProgram
	for _, c := range w.clients {
		number = max(number, c.index+1)
	}
	c := newClient(w, number)
	w.clients = append(w.clients, c)
	c.begin()
	return &Program{c}
}

// ProgramKey is the key that the n-th program that joins has, from 0 on.
func (w *World) ProgramKey(n int) wire.PublicKey { return w.ClientKey(firstProgram + n) }

// Key is the program's public key.
func (p *Program) Key() wire.PublicKey { return p.c.party.key }

// Sign signs with the program's key.
func (p *Program) Sign(b []byte) wire.Signature { return p.c.party.sign(b) }

// Do sends operations in one request, and calls done when the program knows the outcome. The results are in the
// Operation if its outcome is OutcomeExecuted. An operation that is not Known may be executed later. If the program does
// not run, Do returns nil, and done is not called. If the program is killed, done is not called either.
func (p *Program) Do(ops [][]byte, readOnly bool, done func(*Operation)) *Operation {
	if !p.Up() {
		return nil
	}
	var o *Operation
	over := false
	o = p.c.submit(nil, ops, session.Kind{ReadOnly: readOnly}, func() {
		if over = true; o != nil {
			done(o)
		}
	})
	if over { // refused before it was sent
		p.c.w.At(p.c.w.now, func() { done(o) })
	}
	return o
}

// Up reports whether the program runs.
func (p *Program) Up() bool { return p.c.session != nil }

// Kill ends the program, like World.KillClient.
func (p *Program) Kill(requests int, when Moment, fired func()) { p.c.end(requests, when, fired) }

// Start starts the program again, in a new session. A kill that still waits is cancelled.
func (p *Program) Start() { p.c.again() }

// Applied is an operation that was executed.
type Applied struct {
	Seq    wire.Seq
	Time   int64 // the agreed time of its batch, in nanoseconds since the Unix epoch, as the primary proposed it
	Client wire.PublicKey
	Op     []byte
	Result []byte
}

// tellApplied calls Options.Applied for the operations of a batch, if no correct replica executed the batch before.
func (w *World) tellApplied(e port.Execute, replies []*wire.Reply) {
	if w.opt.Applied == nil || e.Seq <= w.ordered {
		return
	}
	for i, r := range replies {
		q := e.Body.Requests[i]
		if r.ID != q.ID || r.Outcome != wire.OutcomeExecuted || r.Seq != e.Seq {
			continue
		}
		for k, op := range q.Ops {
			w.opt.Applied(Applied{e.Seq, e.Body.Time, q.ID.Client, op, r.Results[k]})
		}
	}
}

// GiveUp ends the program's wait for an operation, which may be executed later.
func (p *Program) GiveUp(o *Operation) { p.c.giveUp(o) }

// Fail notes that something is broken that is not a replica's fault alone, which ends the run.
func (w *World) Fail(invariant, format string, args ...any) { w.fail(invariant, 0, format, args...) }

// Name is the cluster's name, if there are several.
func (w *World) Name() string { return w.opt.Cluster }
