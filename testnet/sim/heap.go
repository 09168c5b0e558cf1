package sim

import "time"

// kind says what an event is about.
type kind uint8

const (
	arrives    kind = iota + 1 // a frame at a replica
	requested                  // a client's frame at a replica
	replied                    // a replica's frame at a client
	ticks                      // a replica's clock
	turnEnds                   // its sync is over
	executes                   // its executor has done a piece of work
	flushes                    // the first batch not written has waited long enough
	clientWait                 // a client's timer
	connects                   // a client's link to a replica is there
	acts                       // something that was asked for at this time
)

// event is something that happens at a time. Which fields it has depends on its kind.
type event struct {
	at     time.Duration
	kind   kind
	life   uint32 // of the node, for what a crash undoes
	node   *node
	client *client
	token  uint64
	packet *packet
	do     func()
}

// queue holds events to come: a heap by time, and by number where times are equal. What is moved about is short, and the
// events themselves lie still.
type queue struct {
	heap   []turnOf
	next   uint64
	events []event
	free   []int32 // places in events
}

// turnOf says when it is the turn of the event in a place.
type turnOf struct {
	at     time.Duration
	number uint64
	place  int32
}

func (q *queue) push(e event) {
	place := int32(len(q.events))
	if last := len(q.free) - 1; last >= 0 {
		place, q.free = q.free[last], q.free[:last]
		q.events[place] = e
	} else {
		q.events = append(q.events, e)
	}
	q.next++
	t := turnOf{at: e.at, number: q.next, place: place}
	q.heap = append(q.heap, t)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !t.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = t
}

func (t *turnOf) before(o *turnOf) bool {
	return t.at < o.at || t.at == o.at && t.number < o.number
}

func (q *queue) pop() event {
	place := q.heap[0].place
	last := len(q.heap) - 1
	t := q.heap[last]
	q.heap = q.heap[:last]
	if last > 0 {
		q.sift(t)
	}
	e := q.events[place]
	q.events[place] = event{}
	q.free = append(q.free, place)
	return e
}

// sift puts t in the place of the first one, and down.
func (q *queue) sift(t turnOf) {
	i, n := 0, len(q.heap)
	for {
		least := 4*i + 1
		if least >= n {
			break
		}
		for c := least + 1; c < min(4*i+5, n); c++ {
			if q.heap[c].before(&q.heap[least]) {
				least = c
			}
		}
		if !q.heap[least].before(&t) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = t
}
