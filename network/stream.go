package network

import (
	"bufio"
	"io"
	"sync"
	"time"
)

// progressTimeout is how long a peer may take over one step: more of a frame that has begun, or a chunk of a write.
const progressTimeout = 10 * time.Second

// chunkSize is the unit of writing: what one Noise message carries besides yamux's header.
const chunkSize = noisePlaintext - 12

// readBufferSize lets a burst of small frames arrive in one read, and costs little on a thousand idle links.
const readBufferSize = 16 << 10

// deadlineStream is what carrying frames needs of a libp2p stream.
type deadlineStream interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// readFrames delivers the frames of a stream, each in memory of its own, until the stream ends or breaks the rules.
func readFrames(stream deadlineStream, limit int, deliver func(frame []byte)) error {
	source := &progressReader{stream: stream, armed: true}
	buffered := bufio.NewReaderSize(source, readBufferSize)
	for {
		source.begun = false
		if _, err := buffered.Peek(1); err != nil {
			return err
		}
		source.begun = true
		frame, err := readFrame(buffered, limit)
		if err != nil {
			return err
		}
		deliver(frame)
	}
}

// progressReader waits for the first byte of a frame for ever, and for more of it no longer than progressTimeout.
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

// writeBuffers are borrowed while frames are being written, so that an idle stream holds none.
var writeBuffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, chunkSize) }}

// writeFrames writes what the queue receives until done is closed or a write fails, and tells sent how many frames left.
// Everything that waits goes into as few writes as it fits: one write each costs fifteen times as much.
func writeFrames(stream deadlineStream, q *queue, done <-chan struct{}, sent func(frames int)) error {
	for {
		select {
		case <-done:
			return nil
		case <-q.ready:
		}
		if err := drain(stream, q, sent); err != nil {
			return err
		}
	}
}

// drain writes until the queue is empty, then flushes.
func drain(stream deadlineStream, q *queue, sent func(frames int)) error {
	w := writeBuffers.Get().(*bufio.Writer)
	w.Reset(progressWriter{stream})
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

// progressWriter gives every chunk its own deadline: a large frame may take long, a peer that takes nothing may not.
type progressWriter struct{ stream deadlineStream }

func (w progressWriter) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		if err = w.stream.SetWriteDeadline(time.Now().Add(progressTimeout)); err != nil {
			break
		}
		var n int
		n, err = w.stream.Write(p[:min(len(p), chunkSize)])
		written += n
		p = p[n:]
	}
	return written, err
}
