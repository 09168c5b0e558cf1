package node

import (
	"context"

	"golang.org/x/sync/semaphore"

	"tagma/pbft/port"
)

// lane carries events of one kind of sender to the loop, in order. It is bounded in number and in bytes: messages may be
// large, and the loop may stand still while the disk does (S4, I14).
type lane struct {
	events chan laden
	room   *semaphore.Weighted // bytes
	most   int64
}

// laden is an event with what it takes of its lane's room.
type laden struct {
	event port.Event
	bytes int64
}

func newLane(events int, most int64) *lane {
	return &lane{events: make(chan laden, events), room: semaphore.NewWeighted(most), most: most}
}

// put waits for room, which holds back the reader of the sender's link, or for the end. What is larger than the whole lane
// has it for itself.
func (l *lane) put(ctx context.Context, ev port.Event, bytes int) {
	e := laden{event: ev, bytes: min(int64(bytes), l.most)}
	if l.room.Acquire(ctx, e.bytes) != nil {
		return
	}
	select {
	case l.events <- e:
	case <-ctx.Done():
	}
}

// take returns what came out of the lane, whose room is free then.
func (l *lane) take(e laden) port.Event {
	l.room.Release(e.bytes)
	return e.event
}

// drain appends what the lane holds, up to a bound.
func (l *lane) drain(events []port.Event, most int) []port.Event {
	for range most {
		select {
		case e := <-l.events:
			events = append(events, l.take(e))
		default:
			return events
		}
	}
	return events
}
