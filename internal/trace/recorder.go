package trace

import (
	"errors"
	"io"
	"sync"
)

// Recorder writes events to a file in the background. It delays nobody: if its queue is full, events are left out, and
// the file has a Lost event in their place.
type Recorder struct {
	file io.WriteCloser
	out  *Writer
	done chan struct{}
	err  error // of writing; read only after done

	mu     sync.Mutex
	queue  chan Event
	lost   uint64 // events left out since the last one that was queued
	last   Event  // the last event that was queued
	closed bool
}

// queueRoom is how many events may wait to be written.
const queueRoom = 1 << 14

// NewRecorder begins a file. The caller must Close it.
func NewRecorder(file io.WriteCloser, h Header) *Recorder { return newRecorder(file, h, queueRoom) }

func newRecorder(file io.WriteCloser, h Header, room int) *Recorder {
	r := &Recorder{file: file, out: NewWriter(file, h), queue: make(chan Event, room), done: make(chan struct{})}
	go r.write()
	return r
}

// Put queues an event. It may be called from any goroutine, and never blocks.
func (r *Recorder) Put(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || cap(r.queue)-len(r.queue) < 2 && r.lost > 0 { // an event after a gap needs room for two
		r.lost++
		return
	}
	if r.lost > 0 {
		r.queue <- lost(e, r.lost)
		r.lost = 0
	}
	select {
	case r.queue <- e:
		r.last = e
	default:
		r.lost++
	}
}

// lost returns the event for a gap, with the stamp of the event after the gap.
func lost(e Event, events uint64) *Lost {
	gap := &Lost{Stamp: *e.stamp(), Events: events}
	gap.Event = gap.Kind()
	return gap
}

// write writes the events of the queue, and flushes whenever the queue is empty, so that a process that is killed loses
// little of its trace.
func (r *Recorder) write() {
	defer close(r.done)
	r.err = r.out.Flush()
	for e := range r.queue {
		r.out.Put(e)
		if len(r.queue) == 0 {
			r.err = r.out.Flush()
		}
	}
}

// Close writes what waits and closes the file.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost > 0 && r.last != nil {
		r.out.Put(lost(r.last, r.lost))
		r.lost = 0
	}
	return errors.Join(r.err, r.out.Flush(), r.file.Close())
}
