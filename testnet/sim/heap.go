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
	number uint64
	kind   kind
	node   *node
	life   uint32 // of the node, for what a crash undoes
	client *client
	token  uint64
	packet *packet
	do     func()
}

// queue holds events to come: a heap by time, and by number where times are equal.
type queue struct {
	heap []event
	next uint64
}

func (q *queue) push(e event) {
	q.next++
	e.number = q.next
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.number < o.number
}

func (q *queue) pop() event {
	top := q.heap[0]
	last := len(q.heap) - 1
	e := q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	if last > 0 {
		q.sift(e)
	}
	return top
}

// sift puts e in the place of the first one, and down.
func (q *queue) sift(e event) {
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
		if !q.heap[least].before(&e) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = e
}
