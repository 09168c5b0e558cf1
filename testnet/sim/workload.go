package sim

import (
	"fmt"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/internal/session"
	"tagma/statemachine/kv"
	"tagma/testnet/check"
)

// Workload says what the clients send by themselves.
type Workload struct {
	Kind        string        // put, mixed, register, bank or none; default put, for the machine bank: bank
	Operations  int           // operations of all clients together; 0: without end
	ValueBytes  int           // default 16
	Keys        int           // default 64; 3 if Kind is register
	Outstanding int           // requests that one client has under way; default 1
	Think       time.Duration // how long a client waits after an answer, on average
	Churn       int           // after so many operations, all answered, a client opens another session; 0: never
	Rate        float64       // operations a second of all clients, however many are outstanding; 0: each waits for answers
	From, Until time.Duration // when clients begin and end; Until 0: never

	Semantics string        // "" is exactly once; "mixed" draws the semantics of each operation
	Patience  time.Duration // after this time a client stops waiting for an operation; 0: never
	Pack      int           // operations that share a request; 0: as many as fit
	InFlight  int           // most requests that one client has under way; 0: the default
	NoHedging bool          // clients do not ask further replicas before the time is over
	SharedKey bool          // every two clients share one key, and displace each other's sessions
	// How far a program's clock may differ from the right time, in either direction; drawn for each session.
	Skew time.Duration
}

// MixedSemantics means that the semantics of each operation are drawn.
const MixedSemantics = "mixed"

// Kinds of workloads.
const (
	Puts      = "put"      // each client writes its own keys
	Mixed     = "mixed"    // reads, writes and deletions of common keys
	Registers = "register" // as mixed, on very few keys, with transactions that compare
	Bank      = "bank"     // transfers between accounts
	None      = "none"
)

func (l Workload) withDefaults(machine string) Workload {
	if l.Kind == "" {
		l.Kind = Puts
		if machine == machines.Bank {
			l.Kind = Bank
		}
	}
	setDefault(&l.ValueBytes, 16)
	setDefault(&l.Keys, map[bool]int{true: 3, false: 64}[l.Kind == Registers])
	setDefault(&l.Outstanding, 1)
	return l
}

// generator makes the requests of one client.
type generator struct {
	c    *client
	made int
	now  uint64 // the highest sequence number that the client was told
	// By token: the operation for which the client stops waiting when the timer ends; nil: another request is due.
	timers map[uint64]*Operation
}

func newGenerator(c *client) generator { return generator{c: c, timers: map[uint64]*Operation{}} }

func (g *generator) begin() {
	l := &g.c.w.opt.Workload
	if l.Kind == None || g.c.index >= g.c.w.opt.Clients {
		return
	}
	if l.Rate > 0 {
		g.after(max(l.From-g.c.w.now, 0) + g.gap())
		return
	}
	for range l.Outstanding {
		g.after(max(l.From-g.c.w.now, 0) + time.Duration(g.c.random.Int64N(int64(l.Think+10*time.Millisecond))))
	}
}

// gap is the time between two requests of a client at a rate.
func (g *generator) gap() time.Duration {
	mean := float64(time.Second) * float64(g.c.w.opt.Clients) / g.c.w.opt.Rate
	return time.Duration(mean * (0.5 + g.c.random.Float64()))
}

func (g *generator) after(d time.Duration) {
	g.timers[g.c.after(d)] = nil
}

// due is called when another request is due, or when the client stops waiting for an operation.
func (g *generator) due(token uint64) {
	op, set := g.timers[token]
	if !set || g.c.rogue != nil {
		return
	}
	delete(g.timers, token)
	l := &g.c.w.opt.Workload
	switch {
	case op != nil:
		g.c.giveUp(op)
	case l.Operations > 0 && g.c.w.made >= l.Operations, l.Until > 0 && g.c.w.now >= l.Until:
		return
	case g.c.w.resting:
		g.after(nap)
	case l.Rate > 0:
		g.after(g.gap())
		if len(g.c.waits) < int(g.c.w.opt.Limits.Window)/2 {
			g.ask(nil)
		}
	default:
		g.ask(func() { g.after(g.think()) })
	}
}

func (g *generator) think() time.Duration {
	think := g.c.w.opt.Think
	return think/2 + time.Duration(g.c.random.Int64N(int64(think)+1))
}

func (g *generator) ask(done func()) {
	g.c.w.made++
	g.made++
	l := &g.c.w.opt.Workload
	var op *Operation
	if h := g.c.w.opt.History; h > 0 && g.c.random.IntN(8) == 0 {
		op = g.c.submit(nil, [][]byte{g.past(uint64(h))}, session.Kind{Semantics: g.semantics()}, done)
	} else {
		op = g.c.ask(g.operation(), g.semantics(), done)
	}
	if l.Patience > 0 {
		g.timers[g.c.after(l.Patience)] = op
	}
}

// past returns an operation that puts or reverts keys that no model knows; it often reverts further than the history goes.
// Checkpoints show whether all replicas do the same.
func (g *generator) past(kept uint64) []byte {
	const space = "past/"
	if g.c.random.IntN(2) == 0 {
		return kv.Put(fmt.Appendf(nil, "%s%d", space, g.c.random.IntN(8)), []byte(g.value()))
	}
	back := g.c.random.Uint64N(kept + kept/4 + 2)
	return kv.Revert([]byte(space), max(g.now, back)-back)
}

// semantics returns the semantics of the next operation.
func (g *generator) semantics() session.Semantics {
	switch name := g.c.w.opt.Workload.Semantics; name {
	case "":
		return session.ExactlyOnce
	case MixedSemantics:
		return session.Semantics(g.c.random.IntN(len(session.SemanticsNames())))
	default:
		s, err := session.ParseSemantics(name)
		if err != nil {
			panic(err) // impossible: the options were checked
		}
		return s
	}
}

// operation returns the next operation. No value is written twice.
func (g *generator) operation() check.Op {
	c, l := g.c, &g.c.w.opt.Workload
	switch l.Kind {
	case Puts:
		return check.Op{Kind: check.Put, Key: fmt.Sprintf("c%d/%d", c.index, c.random.IntN(l.Keys)), Value: g.value()}
	case Bank:
		return g.banking()
	}
	key := fmt.Sprintf("k%d", c.random.IntN(l.Keys))
	switch d := c.random.IntN(100); {
	case d < 45:
		return check.Op{Kind: check.Get, Key: key}
	case d < 85:
		return check.Op{Kind: check.Put, Key: key, Value: g.value()}
	case d < 92:
		return check.Op{Kind: check.Delete, Key: key}
	default:
		return g.transaction(key)
	}
}

// transaction puts a key if another one is absent, or else reads both.
func (g *generator) transaction(key string) check.Op {
	other := fmt.Sprintf("k%d", g.c.random.IntN(g.c.w.opt.Keys))
	return check.Op{
		Kind: check.Txn, If: []check.Cond{{Key: other, Absent: true}},
		Then: []check.Op{{Kind: check.Put, Key: key, Value: g.value()}},
		Else: []check.Op{{Kind: check.Get, Key: key}, {Kind: check.Get, Key: other}},
	}
}

func (g *generator) value() string {
	v := fmt.Sprintf("c%d-%d", g.c.index, g.made)
	return v + strings.Repeat(".", max(0, g.c.w.opt.ValueBytes-len(v)))
}

func (g *generator) banking() check.Op {
	account := func(i int) string { return fmt.Sprintf("a%d", i) }
	c := g.c
	if g.made == 1 {
		return check.Op{Kind: check.Open, Key: account(c.index), Amount: 1000}
	}
	n := c.w.opt.Clients
	from := c.random.IntN(n)
	to := (from + 1 + c.random.IntN(max(n-1, 1))) % n // no account pays itself
	switch d := c.random.IntN(100); {
	case d < 60 && n > 1:
		return check.Op{Kind: check.Transfer, Key: account(from), To: account(to), Amount: 1 + c.random.Uint64N(50)}
	case d < 85:
		return check.Op{Kind: check.Balance, Key: account(from)}
	default:
		return check.Op{Kind: check.Audit}
	}
}
