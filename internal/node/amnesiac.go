package node

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// amnesiac runs in place of an instance while the replica may have forgotten what it signed. It asks the other replicas
// what that was, answers Busy to clients, and writes nothing (D8.3, D8.6).
type amnesiac struct {
	*replica.Asking
	report atomic.Pointer[Recovery] // who has answered
	ticked atomic.Int64             // when the amnesiac was last active, by the node's clock
}

// forget starts an amnesiac in place of the instance.
func (n *Node) forget(why string) {
	n.log.Warn("this replica may have forgotten what it signed: it signs and writes nothing before others have told it how to go on",
		"why", why)
	n.tap.Emit(&trace.Process{Step: trace.Noted, Why: "it may have forgotten what it signed: " + why})
	n.metrics.amnesias.Inc()
	a := &amnesiac{Asking: replica.NewAsking(n.data, why)}
	a.Every = cmp.Or(n.opt.sayEvery, a.Every)
	n.publish(a)
	n.amnesiac.Store(a)
}

// publish updates the report of which replicas have answered.
func (n *Node) publish(a *amnesiac) {
	cfg := &n.home.Config
	r := &Recovery{Phase: PhaseForgotten, Why: a.Why, Needed: cfg.Remaining()}
	for id, answer := range a.Answers() {
		switch {
		case wire.ReplicaID(id) == cfg.Self:
		case answer.Whole:
			r.Whole = append(r.Whole, id)
		case answer.Heard:
			r.LostToo = append(r.LostToo, id)
		default:
			r.NoAnswer = append(r.NoAnswer, id)
		}
	}
	a.report.Store(r)
	a.ticked.Store(int64(n.now()))
}

// recall asks the other replicas until enough of them have answered. It then records a new life with what they said, and
// starts an instance of that life.
func (n *Node) recall(ctx context.Context, a *amnesiac) error {
	ticker := time.NewTicker(replica.TickEvery(n.home.Config.ViewTimeout))
	defer ticker.Stop()
	observers := []driver.Observer{n.metrics, n.witness, n.tap}
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
		switch again, err := a.Take(ev, n.transport, observers...); {
		case err != nil:
			return err
		case again:
			return n.wake()
		}
	}
}

// wait logs from time to time what the replica waits for. It returns replica.ErrBack if the journal is there again.
func (n *Node) wait(a *amnesiac) error {
	n.publish(a)
	text, err := a.Waits(n.now())
	if err == nil && text != "" {
		n.log.Warn("this replica "+text, "why", a.Why)
	}
	return err
}
