package sim

import (
	"container/heap"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
)

// clock is the time of a world, or of several worlds that share it. Events of all these worlds happen one after the
// other. A violation in one world ends the run of all.
type clock struct {
	now       time.Duration
	queue     queue
	asked     uint64 // how many events were scheduled
	violation *Violation
	worlds    []*World // that go by this clock
}

// event is something that happens at a time.
type event struct {
	at     time.Duration
	number uint64 // the events' numbers rise in the order in which they were scheduled
	world  *World // in which it happens
	node   *node  // the node whose code the event runs; nil: it runs no node's code
	do     func()
}

// queue holds events that will happen, ordered by time, and by number if times are equal.
type queue []*event

var _ heap.Interface = (*queue)(nil)

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].number < q[j].number
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

func (q *queue) Push(e any) { *q = append(*q, e.(*event)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return e
}

// Now is the time since the beginning.
func (w *World) Now() time.Duration { return w.now }

// At schedules a function for a time, or for now if that time is over.
func (w *World) At(t time.Duration, do func()) { w.at(t, nil, do) }

// at is At for an event that runs the code of a node.
func (w *World) at(t time.Duration, n *node, do func()) {
	w.asked++
	heap.Push(&w.queue, &event{at: max(t, w.now), number: w.asked, world: w, node: n, do: do})
}

// after makes a process do something when a time has passed, unless the process has ended by then.
func (n *node) after(d time.Duration, do func()) {
	life := n.starts
	n.w.at(n.w.now+d, n, func() {
		if n.starts == life {
			do()
		}
	})
}

// Step lets the next event happen, in any of the worlds that share the clock. It returns false when a violation has
// ended the run.
func (w *World) Step() (more bool) {
	if w.over() {
		return false
	}
	e := heap.Pop(&w.queue).(*event)
	w.now = e.at
	e.world.counts.Steps++
	defer e.world.recovered(e.node, &more)
	e.do()
	e.world.judge()
	return !w.broken()
}

// broken reports whether a violation has ended the run.
func (w *World) broken() bool { return w.violation != nil && w.now >= w.violation.At+w.opt.Aftermath }

// recovered makes a panic of a replica's own code a violation.
func (w *World) recovered(n *node, more *bool) {
	p := recover()
	if p == nil {
		return
	}
	id := wire.ReplicaID(0)
	if n != nil {
		id = n.id
		if w.faulty[id] { // an attacker's lies may make its own core panic
			n.tap.Emit(&trace.Process{Step: trace.Stopped, Why: fmt.Sprint(p)})
			n.stop()
			*more = true
			return
		}
	}
	w.fail("panic", id, "%v\n%s", p, debug.Stack())
	*more = false
}

// over reports whether nothing more will happen.
func (w *World) over() bool { return w.overBy(1<<63 - 1) }

// overBy reports whether nothing more will happen up to a time.
func (w *World) overBy(t time.Duration) bool {
	return w.broken() || len(w.queue) == 0 || w.queue[0].at > t || w.opt.Steps > 0 && w.counts.Steps >= w.opt.Steps
}

// Pass lets the next event happen if it is due by t. Otherwise it only sets the clock to t. If t is 0, there is no
// bound. It returns false when a violation has ended the run.
func (w *World) Pass(t time.Duration) (more bool) {
	if t > 0 && !w.over() && w.overBy(t) {
		w.now = max(w.now, t)
		return true
	}
	return w.Step()
}

// RunUntil lets everything happen up to a time. The error is a *Violation.
func (w *World) RunUntil(t time.Duration) error {
	err := w.RunWhile(func() bool { return !w.overBy(t) })
	if !w.over() {
		w.now = max(w.now, t)
	}
	return err
}

// RunWhile continues while a condition holds, which is checked after every event. The error is a *Violation.
func (w *World) RunWhile(holds func() bool) error {
	for holds() && w.Step() {
	}
	if w.violation != nil {
		return w.violation
	}
	return nil
}

// ErrLate says that something did not happen in time.
var ErrLate = errors.New("it did not happen in time")

// RunUntilTrue continues until a condition holds, for at most d. Otherwise the error is a *Violation or an ErrLate.
func (w *World) RunUntilTrue(d time.Duration, what string, holds func() bool) error {
	end := w.now + d
	if err := w.RunWhile(func() bool { return w.now <= end && !holds() }); err != nil {
		return err
	}
	if !holds() {
		return fmt.Errorf("within %v: %s: %w", d, what, ErrLate)
	}
	return nil
}
