package node

import (
	"context"

	"golang.org/x/sync/semaphore"

	"tagma/pbft/port"
)

// lane carries events from one kind of sender to the loop, in order. It is bounded in number and in bytes: messages may
// be large, and the loop may stand still while it waits for the disk (S4, I14).
type lane struct {
	events chan laden
	room   *semaphore.Weighted // bytes
	most   int64
}

// laden is an event with the number of bytes that it takes in its lane.
type laden struct {
	event port.Event
	bytes int64
}

func newLane(events int, most int64) *lane {
	return &lane{events: make(chan laden, events), room: semaphore.NewWeighted(most), most: most}
}

// put waits until the lane has room, which delays the reader of the sender's link, or until the context ends. An event
// larger than the whole lane waits until the lane is empty.
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

// take frees the room of an event that came out of the lane, and returns the event.
func (l *lane) take(e laden) port.Event {
	l.room.Release(e.bytes)
	return e.event
}

// drain appends the events in the lane, at most most of them.
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
