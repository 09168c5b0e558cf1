package node

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/internal/trace"
	"tagma/pbft"
)

// amnesiac stands in an instance's place while the replica may have forgotten what it signed: it asks the others,
// answers clients that it is busy, and writes nothing (D8.3, D8.6).
type amnesiac struct {
	*replica.Asking
	answers atomic.Pointer[[]pbft.Answer] // a copy for reports
	ticked  atomic.Int64                  // when it last worked, by the node's clock
}

// forget puts an amnesiac in the place of the instance.
func (n *Node) forget(why string) {
	n.log.Warn("this replica may have forgotten what it signed: it signs and writes nothing before others have told it how to go on",
		"why", why)
	n.tap.Emit(&trace.Process{Step: trace.Noted, Why: "it may have forgotten what it signed: " + why})
	n.metrics.amnesias.Inc()
	a := &amnesiac{Asking: replica.NewAsking(n.data, why)}
	a.Every = cmp.Or(n.opt.sayEvery, a.Every)
	a.publish(n.now())
	n.amnesiac.Store(a)
}

func (a *amnesiac) publish(now time.Duration) {
	answers := a.Answers()
	a.answers.Store(&answers)
	a.ticked.Store(int64(now))
}

// recall asks until enough others have answered, begins a new life from what they say, and starts an instance in it.
func (n *Node) recall(ctx context.Context, a *amnesiac) error {
	ticker := time.NewTicker(tickFor(n.home.Config.ViewTimeout))
	defer ticker.Stop()
	for {
		var ev pbft.Event
		select {
		case <-ctx.Done():
			return nil
		case e := <-n.lanes.replicas.events:
			ev = n.lanes.replicas.take(e)
		case e := <-n.lanes.clients.events:
			ev = n.lanes.clients.take(e)
		case <-ticker.C:
			ev = pbft.Tick{Mono: n.now()}
			if err := n.wait(a); err != nil {
				return err
			}
		}
		effects := a.Step(ev)
		if n.tap != nil {
			n.tap.Stepped(ev, effects)
		}
		n.perform(effects)
		if rec, ok := a.Recovery(); ok {
			if err := replica.Begin(n.data, rec); err != nil {
				return err
			}
			return n.wake()
		}
	}
}

// wait tells now and then what the replica waits for, and ends with replica.ErrBack if the wait was for nothing.
func (n *Node) wait(a *amnesiac) error {
	a.publish(n.now())
	text, err := a.Waits(n.now())
	if err == nil && text != "" {
		n.log.Warn("this replica "+text, "why", a.Why)
	}
	return err
}

// perform does what an amnesiac may do: answer and ask.
func (n *Node) perform(effects []pbft.Effect) {
	for _, effect := range effects {
		switch e := effect.(type) {
		case pbft.Send:
			n.send(e.To, e.Msg)
		case pbft.Respond:
			n.transport.Respond(e.Reply)
		case pbft.Dropped:
			n.witness.Dropped(e.Msg, e.Why)
			n.metrics.dropped(e.Why)
		default: // it has no others
		}
	}
}
