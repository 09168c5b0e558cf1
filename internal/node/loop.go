package node

import (
	"context"
	"sync/atomic"
	"time"

	"tagma/internal/driver"
	"tagma/pbft"
)

// How many events of a lane one turn takes, so that no lane waits long for another.
const (
	replicasPerTurn = 512
	clientsPerTurn  = 512
)

// lanes carry events to the loop. Votes, clients and execution have lanes of their own: no flood of clients delays a
// vote, and no full lane keeps a batch's result from the core.
type lanes struct {
	replicas *lane
	clients  *lane
	executed chan pbft.Event
}

// How many bytes of messages wait for the loop. A turn, and with it what is journalled at once, takes no more.
const (
	replicasBytes = 64 << 20
	clientsBytes  = 32 << 20
)

func newLanes(cfg *pbft.Config) lanes {
	return lanes{
		replicas: newLane(4096, replicasBytes),
		clients:  newLane(clientsPerTurn, clientsBytes),
		executed: make(chan pbft.Event, cfg.LogWindow),
	}
}

// loop runs the driver's turns: it alone touches the core.
type loop struct {
	lanes
	driver  *driver.Driver
	replica *pbft.Replica
	tick    time.Duration
	began   time.Time
	wall    func() time.Time // nil: the system's
	shown   atomic.Pointer[pbft.Inspection]
}

// run takes turns until the context ends. An error is one of durability, and final (D6).
func (l *loop) run(ctx context.Context) error {
	ticker := time.NewTicker(l.tick)
	defer ticker.Stop()
	l.show()
	events := make([]pbft.Event, 0, replicasPerTurn+clientsPerTurn)
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
				events = append(events, l.now())
				l.show()
			}
		}
		if ctx.Err() != nil {
			return l.driver.Close()
		}
		events = l.drainExecuted(events)
		events = l.replicas.drain(events, replicasPerTurn)
		events = l.clients.drain(events, clientsPerTurn)
		select {
		case <-ticker.C: // also under load
			events = append(events, l.now())
			l.show()
		default:
		}
		if err := l.driver.Turn(events); err != nil {
			return err
		}
	}
}

// drainExecuted appends what execution has reported.
func (l *loop) drainExecuted(events []pbft.Event) []pbft.Event {
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

func (l *loop) now() pbft.Tick {
	now := time.Now()
	tick := pbft.Tick{Mono: now.Sub(l.began), Wall: now.UnixNano()}
	if l.wall != nil {
		tick.Wall = l.wall().UnixNano()
	}
	return tick
}

// show publishes a copy of the core's state for reports.
func (l *loop) show() {
	in := l.replica.Inspect()
	l.shown.Store(&in)
}

// tickFor is how often the core is told the time: fine enough for its timeouts, seldom enough to cost nothing.
func tickFor(viewTimeout time.Duration) time.Duration {
	return min(max(viewTimeout/50, 2*time.Millisecond), 20*time.Millisecond)
}
