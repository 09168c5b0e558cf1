package node

import (
	"context"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lanes carry events to the loop. Votes, clients' messages and results of execution have separate lanes. So clients
// cannot delay votes, and a full lane cannot keep the result of a batch from the core.
type lanes struct {
	replicas *lane
	clients  *lane
}

// How many bytes of messages may wait for the loop. They also bound how many messages one turn takes, and so how much it
// writes to the journal.
const (
	replicasBytes = 64 << 20
	clientsBytes  = 32 << 20
)

func newLanes() lanes {
	return lanes{
		replicas: newLane(replica.LaneRoom, replicasBytes),
		clients:  newLane(replica.EventsPerTurn, clientsBytes),
	}
}

// loop runs the driver's turns. Nothing else uses the core.
type loop struct {
	lanes
	executed chan port.Event
	driver   *driver.Driver
	replica  *pbft.Replica
	tick     time.Duration
	began    time.Time
	wall     func() time.Time // nil: the system's wall clock
	due      func() int64     // when the application waits for a batch (port.Tick)
	linked   func() bool      // whether enough other replicas are connected
	changes  *changes
	lost     *forgotten // set if the replica must not sign anything any more
	ticked   bool       // the core has got its first Tick
	shown    atomic.Pointer[port.Inspection]
}

// loopWitness is an observer of the driver. It ends the loop if the replica has forgotten what it signed.
type loopWitness struct {
	*witness
	loop *loop
}

// Forgot makes the loop end after the present turn: another replica has proved that this one forgot a signed statement.
func (w loopWitness) Forgot(said string, by wire.ReplicaID) {
	w.loop.lost = &forgotten{replica.Proven(said, by)}
}

// run takes turns until the context ends. It returns an error if something could not be made durable; that is final
// (D6).
func (l *loop) run(ctx context.Context) error {
	ticker := time.NewTicker(l.tick)
	defer ticker.Stop()
	l.show()
	events := make([]port.Event, 0, 2*replica.EventsPerTurn)
	for {
		events = events[:0]
		if !l.driver.Pending() {
			select {
			case <-ctx.Done():
				return l.driver.Close()
			case ev := <-l.executed:
				events = append(events, ev)
			case e := <-l.replicas.events:
				events = append(events, l.replicas.take(e))
			case e := <-l.clients.events:
				events = append(events, l.clients.take(e))
			case <-ticker.C:
				events = l.told(events)
			}
		}
		if ctx.Err() != nil {
			return l.driver.Close()
		}
		events = l.drainExecuted(events)
		events = l.replicas.drain(events, replica.EventsPerTurn)
		events = l.clients.drain(events, replica.EventsPerTurn)
		select {
		case <-ticker.C: // checked here too, so that the core learns the time under load
			events = l.told(events)
		default:
		}
		if err := l.driver.Turn(events); err != nil {
			return err
		}
		l.showView()
		if l.lost != nil {
			return l.lost
		}
	}
}

// linkPatience is how many ticks the loop waits for links before the core asks its first question. A question that is
// sent before there are links is lost, and is sent again only much later.
const linkPatience = 50

// told appends a Tick with the time. With its first Tick the core begins to ask other replicas and to measure time.
func (l *loop) told(events []port.Event) []port.Event {
	now := l.now()
	if !l.ticked && l.linked != nil && !l.linked() && now.Mono < linkPatience*l.tick {
		return events
	}
	l.ticked = true
	l.show()
	return append(events, now)
}

// drainExecuted appends the results of execution that have arrived.
func (l *loop) drainExecuted(events []port.Event) []port.Event {
	for range cap(l.executed) {
		select {
		case ev := <-l.executed:
			events = append(events, ev)
		default:
			return events
		}
	}
	return events
}

func (l *loop) now() port.Tick {
	now := time.Now()
	tick := port.Tick{Mono: now.Sub(l.began), Wall: now.UnixNano(), Due: l.due()}
	if l.wall != nil {
		tick.Wall = l.wall().UnixNano()
	}
	return tick
}

// showView publishes the core's state at once if its view has changed. So reports show every view.
func (l *loop) showView() {
	if at, was := l.replica.Position(), l.shown.Load(); at.View != was.View || at.Active != was.Active {
		l.show()
	}
}

// show publishes a copy of the core's state for reports.
func (l *loop) show() {
	in := l.replica.Inspect()
	in.Waits = l.replica.Waits()
	l.shown.Store(&in)
	if l.changes != nil {
		l.changes.see(&in)
	}
}
