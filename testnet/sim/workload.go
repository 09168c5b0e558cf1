package sim

import (
	"fmt"
	"time"

	"tagma/internal/cluster"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
)

// Workload is what the clients do by themselves.
type Workload struct {
	Kind        string // put, mixed, register, bank or none; default put, of a bank bank
	Operations  int    // over all clients; 0: without end
	ValueBytes  int    // default 16
	Keys        int    // default 64; of a register 3
	Outstanding int    // requests that one client has under way; default 1
	Think       time.Duration
	Rate        float64 // operations a second over all clients, whatever is outstanding; 0: closed loop
	From, Until time.Duration
}

// Kinds of workloads.
const (
	Puts      = "put"      // each client writes its own keys
	Mixed     = "mixed"    // reads, writes and deletions of common keys
	Registers = "register" // the same of very few keys, with transactions that compare
	Bank      = "bank"     // transfers between accounts
	None      = "none"
)

func (l Workload) withDefaults(machine string) Workload {
	if l.Kind == "" {
		l.Kind = Puts
		if machine == cluster.MachineBank {
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
	c      *client
	made   int
	timers map[uint64]bool
}

func newGenerator(c *client) generator { return generator{c: c, timers: map[uint64]bool{}} }

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
	c := g.c
	c.tokens++
	g.timers[c.tokens] = true
	c.w.queue.push(event{at: c.w.now + d, kind: clientWait, client: c, token: c.tokens})
}

// due is the time for another request.
func (g *generator) due(token uint64) {
	if !g.timers[token] || g.c.rogue != nil {
		return
	}
	delete(g.timers, token)
	l := &g.c.w.opt.Workload
	switch {
	case l.Operations > 0 && g.c.w.made >= l.Operations, l.Until > 0 && g.c.w.now >= l.Until:
		return
	case g.c.w.resting:
		g.after(nap)
	case l.Rate > 0:
		g.after(g.gap())
		if len(g.c.open) < int(g.c.w.opt.Limits.Window)/2 {
			g.ask(nil)
		}
	default:
		g.ask(func(*Operation) { g.after(g.think()) })
	}
}

func (g *generator) think() time.Duration {
	think := g.c.w.opt.Think
	return think/2 + time.Duration(g.c.random.Int64N(int64(think)+1))
}

func (g *generator) ask(done func(*Operation)) {
	g.c.w.made++
	g.made++
	op, readOnly := g.operation()
	g.c.submit([][]byte{op}, readOnly, done)
}

// operation is the next one. Every value that is written is written once.
func (g *generator) operation() (op []byte, readOnly bool) {
	c, l := g.c, &g.c.w.opt.Workload
	value := g.value()
	switch l.Kind {
	case Puts:
		return kv.Put(fmt.Appendf(nil, "c%d/%d", c.index, c.random.IntN(l.Keys)), value), false
	case Bank:
		return g.banking()
	}
	key := fmt.Appendf(nil, "k%d", c.random.IntN(l.Keys))
	switch d := c.random.IntN(100); {
	case d < 45:
		return kv.Get(key), true
	case d < 85:
		return kv.Put(key, value), false
	case d < 92:
		return kv.Delete(key), false
	case l.Kind == Registers:
		other := fmt.Appendf(nil, "k%d", c.random.IntN(l.Keys))
		return kv.Txn([]kv.Compare{kv.Version(key, kv.Greater, 1)}, [][]byte{kv.Put(key, value)}, [][]byte{kv.Get(other)}), false
	default:
		return kv.PutPrevious(key, value), false
	}
}

func (g *generator) value() []byte {
	v := fmt.Appendf(nil, "c%d-%d", g.c.index, g.made)
	for len(v) < g.c.w.opt.ValueBytes {
		v = append(v, '.')
	}
	return v
}

func (g *generator) banking() (op []byte, readOnly bool) {
	account := func(i int) string { return fmt.Sprintf("a%d", i) }
	c := g.c
	if g.made == 1 {
		return bank.Open(account(c.index), 1000), false
	}
	from, to := c.random.IntN(c.w.opt.Clients), c.random.IntN(c.w.opt.Clients)
	switch d := c.random.IntN(100); {
	case d < 60:
		return bank.Transfer(account(from), account(to), 1+c.random.Uint64N(50)), false
	case d < 85:
		return bank.Balance(account(from)), true
	default:
		return bank.Audit(), true
	}
}
