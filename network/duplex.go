package network

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
)

// duplex serves both directions of one stream.
type duplex struct {
	stream   network.Stream
	queue    *queue
	limit    int // largest frame that is read
	chunk    int // largest write
	counters *counters
	deliver  func(frame []byte)
}

// serve writes on a goroutine of its own and reads on the caller's, until one of them fails. It returns the first
// error, after it has reset the stream and the writer has ended.
func (d duplex) serve() error {
	var (
		once  sync.Once
		first error
		done  = make(chan struct{})
	)
	fail := func(err error) {
		once.Do(func() {
			first = err
			close(done)
			_ = d.stream.Reset() // wakes the other direction
		})
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		sent := func(frames int) { d.counters.sent.Add(uint64(frames)) }
		if err := writeFrames(&progressWriter{stream: d.stream, chunk: d.chunk}, d.queue, done, sent); err != nil {
			fail(err)
		}
	})
	fail(readFrames(d.stream, d.limit, func(frame []byte) {
		d.counters.received.Add(1)
		d.deliver(frame)
	}))
	writer.Wait()
	return first
}
