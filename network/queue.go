package network

import "sync"

// queue holds the frames that wait for one stream, bounded in number and in bytes. Frames that the writer has taken
// still count until it releases them, because they still take memory.
type queue struct {
	maxFrames, maxBytes int

	ready chan struct{} // holds a token if frames may be waiting

	mu      sync.Mutex
	waiting [][]byte
	spare   [][]byte // the slice of the batch before, to be reused
	frames  int      // frames that wait or that the writer has taken
	bytes   int
	closed  bool
}

func newQueue(maxFrames, maxBytes int) *queue {
	return &queue{maxFrames: maxFrames, maxBytes: maxBytes, ready: make(chan struct{}, 1)}
}

// push adds a frame and reports whether there was room. An empty queue takes any frame.
func (q *queue) push(frame []byte) bool {
	q.mu.Lock()
	full := q.frames >= q.maxFrames || q.frames > 0 && q.bytes+len(frame) > q.maxBytes
	if full || q.closed {
		q.mu.Unlock()
		return false
	}
	q.waiting = append(q.waiting, frame)
	q.frames++
	q.bytes += len(frame)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// take returns all frames that wait. The batch belongs to the caller until the caller releases it.
func (q *queue) take() [][]byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	batch := q.waiting
	q.waiting, q.spare = q.spare, nil
	return batch
}

// release frees the room of a batch that was written.
func (q *queue) release(batch [][]byte) {
	bytes := 0
	for _, frame := range batch {
		bytes += len(frame)
	}
	clear(batch)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.frames -= len(batch)
	q.bytes -= bytes
	q.spare = batch[:0]
}

// size counts the frames that wait or are being written.
func (q *queue) size() (frames, bytes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.frames, q.bytes
}

// close makes the queue refuse further frames and returns the number of frames that will not be sent.
func (q *queue) close() (lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	lost = q.frames
	q.closed, q.waiting, q.frames, q.bytes = true, nil, 0, 0
	return lost
}
