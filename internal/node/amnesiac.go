package node

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/amnesia"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// amnesiac replaces the instance while the replica may have forgotten what it signed: it asks the other replicas,
// answers clients that it is busy, and writes nothing (D8.3, D8.6).
type amnesiac struct {
	*replica.Asking
	answers atomic.Pointer[[]amnesia.Answer] // a copy for reports
	ticked  atomic.Int64                     // when it was last active, by the node's clock
}

// forget puts an amnesiac in the instance's place.
func (n *Node) forget(why string) {
	n.log.Warn("this replica may have forgotten what it signed: it signs and writes nothing before others have told it how to go on",
		"why", why)
	n.tap.Emit(&trace.Process{Step: trace.Noted, Why: "it may have forgotten what it signed: " + why})
	n.metrics.amnesias.Inc()
	a := &amnesiac{Asking: replica.NewAsking(n.data, why)}
	a.Every = cmp.Or(n.opt.sayEvery, a.Every)
	if n.tap != nil {
		a.Stepped = n.tap.Stepped
	}
	a.publish(n.now())
	n.amnesiac.Store(a)
}

func (a *amnesiac) publish(now time.Duration) {
	answers := a.Answers()
	a.answers.Store(&answers)
	a.ticked.Store(int64(now))
}

// recall asks until enough others have answered, begins a new life with what they said, and starts an instance of it.
func (n *Node) recall(ctx context.Context, a *amnesiac) error {
	ticker := time.NewTicker(replica.TickEvery(n.home.Config.ViewTimeout))
	defer ticker.Stop()
	for {
		var ev port.Event
		select {
		case <-ctx.Done():
			return nil
		case e := <-n.lanes.replicas.events:
			ev = n.lanes.replicas.take(e)
		case e := <-n.lanes.clients.events:
			ev = n.lanes.clients.take(e)
		case <-ticker.C:
			ev = port.Tick{Mono: n.now()}
			if err := n.wait(a); err != nil {
				return err
			}
		}
		switch again, err := a.Take(ev, asker{n}); {
		case err != nil:
			return err
		case again:
			return n.wake()
		}
	}
}

// wait logs from time to time what the replica waits for. It returns replica.ErrBack if the journal is there again.
func (n *Node) wait(a *amnesiac) error {
	a.publish(n.now())
	text, err := a.Waits(n.now())
	if err == nil && text != "" {
		n.log.Warn("this replica "+text, "why", a.Why)
	}
	return err
}

// asker is the Outlet of an amnesiac.
type asker struct{ *Node }

// Send implements replica.Outlet.
func (a asker) Send(to wire.ReplicaID, m wire.Message) { a.send(to, m) }

// Respond implements replica.Outlet.
func (a asker) Respond(reply *wire.Reply) { a.transport.Respond(reply) }

// Observe implements replica.Outlet.
func (a asker) Observe(e port.Effect) {
	a.witness.Observe(e)
	if d, is := e.(port.Dropped); is {
		a.metrics.dropped(d.Why)
	}
}
