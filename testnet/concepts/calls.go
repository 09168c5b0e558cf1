package concepts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tagma/internal/machines"
	"tagma/internal/session"
	"tagma/internal/trace"
	"tagma/statemachine"
	"tagma/statemachine/bank"
	"tagma/testnet/links"
	"tagma/testnet/play"
	"tagma/testnet/sim"
	"tagma/testnet/sim/disk"
)

// This file has the cards about calls under failure. The same clients call the same service under each of the semantics,
// while the network loses messages, a server dies, or a client dies. The cards count how often each call was executed.

// tally counts calls by what became of them.
type tally struct {
	failure           string
	calls, answered   int
	never, once, more int // how often they were executed
}

func (t tally) String() string {
	return fmt.Sprintf("%s: of %d calls %d answered, %d executed once, %d never, %d more than once", t.failure, t.calls, t.answered, t.once, t.never, t.more)
}

// failureOf is a kind of failure. It begins after a second and ends after four; clients call for five.
type failureOf struct {
	name   string
	faults []sim.Fault
	loss   float64 // of messages between clients and replicas while it lasts
}

const (
	failsFrom  = time.Second
	failsUntil = 4 * time.Second
	callsUntil = 5 * time.Second
	allAnswer  = 30 * time.Second // after this time, every client that repeats its calls has its answers
)

var failing = []failureOf{
	{name: "network", loss: 0.4},
	{name: "server", faults: []sim.Fault{{Do: sim.CrashNow, Replica: 0, At: failsFrom, Until: failsUntil}}},
	{name: "client", faults: []sim.Fault{{Do: sim.ClientKill, Client: 0, Calls: 1, Moment: sim.AfterFirstSend, At: failsFrom, Until: failsUntil}}},
}

// counted is a card whose calls are counted. Holds returns what contradicts the card; its argument has the counts for
// each failure, in order.
func counted(s session.Semantics, holds func(network, server, client tally) []string) func(t play.Trace) (string, []string, error) {
	return func(t play.Trace) (string, []string, error) {
		var tallies []tally
		var saw []string
		for _, f := range failing {
			one, err := call(s, &f, t)
			if err != nil {
				return "", nil, err
			}
			t = play.Trace{} // the trace shows the first failure
			tallies, saw = append(tallies, one), append(saw, one.String())
		}
		return strings.Join(saw, "; "), holds(tallies[0], tallies[1], tallies[2]), nil
	}
}

// call makes two clients call a cluster of four replicas while a failure happens.
func call(s session.Semantics, f *failureOf, t play.Trace) (tally, error) {
	plan := &sim.Plan{
		Seed: 1, Replicas: 4, Machine: machines.KV, CheckpointInterval: 32, LogWindow: 128, ViewTimeout: 500 * time.Millisecond,
		Base: links.Link{Delay: time.Millisecond}, Sync: 200 * time.Microsecond, Clients: 2, Faults: f.faults, Duration: allAnswer,
		Workload: sim.Workload{Kind: sim.Puts, Semantics: s.String(), Rate: 100, Until: callsUntil},
	}
	if s == session.AtMostOnce {
		plan.Workload.Patience = 2 * time.Second // these calls are sent once, so a lost call is never answered
	}
	done := func() error { return nil }
	var unable error
	out, err := sim.Run(plan, func(o *sim.Options) {
		if t.File != "" {
			o.Trace, done, unable = trace.Write(t.File, trace.Header{Engine: trace.Simulated, Replicas: 4, Seed: 1, Name: s.String()}, t.Only)
		}
		o.Begin = func(w *sim.World) {
			w.At(failsFrom, func() { w.Reach(links.Link{Delay: time.Millisecond, Loss: f.loss}) })
			w.At(failsUntil, func() { w.Reach(links.Link{Delay: time.Millisecond}) })
		}
	})
	if err == nil {
		err = unable
	}
	if closed := done(); err == nil {
		err = closed
	}
	if err != nil {
		return tally{}, err
	}
	if out.Violation != nil {
		return tally{}, fmt.Errorf("%s beside a failing %s: %w", s, f.name, out.Violation)
	}
	sum := tally{failure: f.name}
	for _, o := range out.World.History() {
		sum.calls++
		if o.Known {
			sum.answered++
		}
		switch o.Executions() {
		case 0:
			sum.never++
		case 1:
			sum.once++
		default:
			sum.more++
		}
	}
	return sum, nil
}

// onceEach returns what contradicts exactly-once.
func onceEach(network, server, client tally) []string {
	return slices.Concat(
		notMore(network), notMore(server), notMore(client), allAnswered(network, 0), allAnswered(server, 0), allAnswered(client, 1),
	)
}

// onceOrLost returns what contradicts at-most-once, and best-effort.
func onceOrLost(network, server, client tally) []string {
	return slices.Concat(notMore(network), notMore(server), notMore(client), works(server),
		unless(network.never > 0, "no call was lost beside the failing network"))
}

// onceOrMore returns what contradicts at-least-once.
func onceOrMore(network, server, client tally) []string {
	return slices.Concat(allAnswered(network, 0), allAnswered(server, 0), allAnswered(client, 1),
		unless(network.more > 0, "no call was executed twice beside the failing network"))
}

// works returns an error text if a failure left no calls to count.
func works(t tally) []string {
	return unless(t.calls > 100 && t.once > t.calls/3, fmt.Sprintf("beside a failing %s only %d of %d calls were executed once", t.failure, t.once, t.calls))
}

// notMore returns an error text if calls were executed more than once.
func notMore(t tally) []string {
	return unless(t.more == 0, fmt.Sprintf("beside a failing %s %d calls were executed more than once", t.failure, t.more))
}

// allAnswered returns an error text if calls were not executed or not answered, other than those of clients that died.
func allAnswered(t tally, died int) []string {
	good := t.never <= died && t.calls-t.answered <= died
	return append(works(t), unless(good, fmt.Sprintf("beside a failing %s %d calls were never executed and %d not answered", t.failure, t.never, t.calls-t.answered))...)
}

// caller is a client of a simulated cluster. The typed client of a machine uses it. Each call runs the simulation until
// it is answered.
type caller struct {
	w     *sim.World
	bytes int // of all operations
}

func (c *caller) Call(_ context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	c.bytes += len(op)
	o := c.w.Submit(0, [][]byte{op}, readOnly)
	if err := c.w.RunUntilTrue(time.Minute, "an answer", func() bool { return o.Known }); err != nil {
		return nil, 0, err
	}
	if len(o.Results) != 1 {
		return nil, 0, fmt.Errorf("the operation was answered with %d results", len(o.Results))
	}
	return o.Results[0], uint64(o.Seq), nil
}

func (c *caller) QueryAt(context.Context, []byte, uint64) ([]byte, error) {
	return nil, statemachine.ErrNotRetained // this card does not read past states
}

// stubs calls the bank as functions. The primary dies while it orders one of the calls, which the caller cannot see.
func stubs(t play.Trace) (saw string, lacks []string, err error) {
	o := sim.Options{Seed: 1, Machine: machines.Bank, Clients: 1, Workload: sim.Workload{Kind: sim.None}, TraceLines: -1}
	if t.File != "" {
		var done func() error
		if o.Trace, done, err = trace.Write(t.File, trace.Header{Engine: trace.Simulated, Replicas: 4, Seed: 1, Name: "rpc-stubs"}, t.Only); err != nil {
			return "", nil, err
		}
		defer func() { err = errors.Join(err, done()) }()
	}
	w, err := sim.New(o)
	if err != nil {
		return "", nil, err
	}
	ctx, under := context.Background(), &caller{w: w}
	c := bank.NewClient(under)
	if _, err := c.Open(ctx, "alice", 100); err != nil {
		return "", nil, err
	}
	if _, err := c.Open(ctx, "bob", 0); err != nil {
		return "", nil, err
	}
	w.CrashAfter(0, 1, disk.Kill, nil) // the primary of view 0
	moved, err := c.Transfer(ctx, "alice", "bob", 30)
	if err != nil {
		return "", nil, err
	}
	_, refused := c.Transfer(ctx, "alice", "bob", 1000)
	left, err := c.Balance(ctx, "alice")
	if err != nil {
		return "", nil, err
	}
	in, _ := w.Inspect(1)
	view := in.View
	saw = fmt.Sprintf("five calls were %d bytes of operations; the transfer returned %d and %d through the death of the primary (view %d); the other one failed with %q",
		under.bytes, moved.From, moved.To, view, refused)
	for _, lack := range [][]string{
		unless(moved.From == 70 && moved.To == 30 && left == 70, fmt.Sprintf("the transfer left %d and %d, and alice has %d", moved.From, moved.To, left)),
		unless(errors.Is(refused, bank.Insufficient), fmt.Sprintf("a transfer of too much returned %v", refused)),
		unless(view == 1, fmt.Sprintf("the cluster is in view %d, though the primary died", view)),
	} {
		lacks = append(lacks, lack...)
	}
	return saw, lacks, nil
}
