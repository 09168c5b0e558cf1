package network

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// progressTimeout is how long a peer may take for one step: to send more of a frame that has begun, or to accept a
// chunk of a write.
const progressTimeout = 10 * time.Second

// The largest writes. yamux queues up to 64 of them in front of a connection, for all its streams together. With the
// larger size for bulk frames, 4 MiB could be queued before a vote on a slow line; with bulkChunk it is 1 MiB.
const (
	chunkSize = noisePlaintext - 12 // what one Noise message carries in addition to yamux's header
	bulkChunk = 16<<10 - 12
)

// readBufferSize is large enough for a burst of small frames to arrive in one read, and small enough for a thousand
// idle links.
const readBufferSize = 16 << 10

// deadlineStream is the part of a libp2p stream that is needed to carry frames.
type deadlineStream interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// readFrames delivers the frames of a stream, each in new memory, until the stream ends or breaks the rules.
func readFrames(stream deadlineStream, limit int, deliver func(frame []byte)) error {
	source := &progressReader{stream: stream, armed: true}
	buffered := bufio.NewReaderSize(source, readBufferSize)
	for {
		source.begun = false
		if _, err := buffered.Peek(1); err != nil {
			return err
		}
		source.begun = true
		frame, err := nextFrame(buffered, limit)
		if err != nil {
			return err
		}
		deliver(frame)
	}
}

// progressReader waits without limit for the first byte of a frame, and no longer than progressTimeout for each further
// part.
type progressReader struct {
	stream       deadlineStream
	begun, armed bool
}

func (r *progressReader) Read(p []byte) (int, error) {
	if r.begun || r.armed {
		deadline := time.Time{}
		if r.begun {
			deadline = time.Now().Add(progressTimeout)
		}
		if err := r.stream.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		r.armed = r.begun
	}
	return r.stream.Read(p)
}

// writeBuffers are taken only while frames are written, so that an idle stream holds none.
var writeBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, chunkSize) }}

// writeFrames writes the queue's frames until done is closed or a write fails, and calls sent with the number of frames
// written. It packs all waiting frames into as few writes as possible: one write per frame costs fifteen times as much.
func writeFrames(w *progressWriter, q *queue, done <-chan struct{}, sent func(frames int)) error {
	for {
		select {
		case <-done:
			return nil
		case <-q.ready:
		}
		if err := drain(w, q, sent); err != nil {
			return err
		}
	}
}

// drain writes until the queue is empty, then flushes.
func drain(stream io.Writer, q *queue, sent func(frames int)) error {
	w := writeBuffers.Get().(*bufio.Writer)
	w.Reset(stream)
	defer func() {
		w.Reset(nil)
		writeBuffers.Put(w)
	}()
	for {
		batch := q.take()
		if len(batch) == 0 {
			return w.Flush()
		}
		for _, frame := range batch {
			if err := writeFrame(w, frame); err != nil {
				return err
			}
		}
		sent(len(batch))
		q.release(batch)
	}
}

// deadlineSlack is how much earlier than progressTimeout a write may be given up. The slack saves setting a new
// deadline, which costs a timer, for every write.
const deadlineSlack = time.Second

// progressWriter gives every chunk a deadline. A large frame may take long, but a peer that accepts nothing is given up.
type progressWriter struct {
	stream deadlineStream
	chunk  int       // largest write
	renew  time.Time // when the deadline must next be renewed
}

func (w *progressWriter) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		if now := time.Now(); !now.Before(w.renew) {
			if err = w.stream.SetWriteDeadline(now.Add(progressTimeout)); err != nil {
				break
			}
			w.renew = now.Add(deadlineSlack)
		}
		var n int
		n, err = w.stream.Write(p[:min(len(p), w.chunk)])
		written += n
		p = p[n:]
	}
	return written, err
}
