package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// outbound keeps one stream to a member open: it dials, exchanges greetings, sends what its queue holds, reads what
// comes back, and starts again when the stream ends. A replica has one for each lane of each other member, a client one
// for each replica.
type outbound struct {
	to       remote
	proto    protocol.ID
	via      *transport
	greet    *greetings
	log      *slog.Logger
	level    slog.Level // level of the log lines about connecting and losing the connection
	changed  func()     // called after connecting and after losing the connection
	maxFrame int
	frames   int // bounds of the queue
	bytes    int
	chunk    int                // largest write
	deliver  func(frame []byte) // nil if the member must not send on this stream
	met      func(about)        // called with what the member said about its process; nil: not wanted

	counters
	wake chan struct{} // a token in it ends the wait before the next attempt

	mu      sync.Mutex            // held to change the next three fields together; guards those after them
	queue   atomic.Pointer[queue] // of the stream that is up, else nil; send reads it without the lock
	since   time.Time
	last    string
	dial    context.CancelFunc // ends the dial that is under way; nil if none is
	opening []byte             // first frame on every stream; none if empty
}

var errClosedByPeer = errors.New("the peer closed the stream")

// send queues a frame and reports whether it was queued.
func (o *outbound) send(frame []byte) bool {
	q := o.queue.Load()
	if q != nil && len(frame) <= o.maxFrame && q.push(frame) {
		return true
	}
	o.dropped.Add(1)
	return false
}

// become records that the stream with queue q is up. If q is nil, it records why there is no stream.
func (o *outbound) become(q *queue, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q != nil && len(o.opening) > 0 {
		q.push(o.opening)
	}
	if old := o.queue.Swap(q); old != q {
		o.since = time.Now()
	}
	o.last = ""
	if err != nil {
		o.last = strings.ReplaceAll(err.Error(), "\n", " ")
	}
}

// open replaces the opening, and also sends it on the stream if that is up.
func (o *outbound) open(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opening = frame
	if o.queue.Load() != nil {
		o.send(frame)
	}
}

func (o *outbound) state() PeerState {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := PeerState{
		Since: o.since, LastError: o.last,
		Traffic: Traffic{Sent: o.sent.Load(), Received: o.received.Load(), Dropped: o.dropped.Load()},
	}
	if q := o.queue.Load(); q != nil {
		s.Connected = true
		s.Queued, s.QueuedBytes = q.size()
	}
	return s
}

func (o *outbound) connected() bool { return o.queue.Load() != nil }

// redial ends the wait between two attempts, or a dial, because the peer has connected to this host. A dial over QUIC
// that began while the peer was down may otherwise wait for seconds before it sends its next packet.
func (o *outbound) redial() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dial != nil {
		o.dial()
	}
}

// run connects and reconnects until ctx ends.
func (o *outbound) run(ctx context.Context) {
	var pace backoff
	for first := true; ctx.Err() == nil; {
		lasted, err := o.attempt(ctx)
		if ctx.Err() != nil {
			return
		}
		if lasted > 0 || first { // only one line for each outage
			o.log.Log(ctx, o.level, "not connected", "peer", o.to.String(), "err", err)
		}
		first = false
		o.pause(ctx, pace.next(lasted))
	}
}

// pause waits until the next attempt. However often a peer connects to this host, at least backoffFirst lies between
// two attempts.
func (o *outbound) pause(ctx context.Context, wait time.Duration) {
	least := time.NewTimer(min(wait, backoffFirst))
	defer least.Stop()
	select {
	case <-ctx.Done():
		return
	case <-least.C:
	}
	rest := time.NewTimer(max(0, wait-backoffFirst))
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-rest.C:
	}
}

// attempt makes one connection and serves it until it ends, which always is an error. Lasted is how long the connection
// was up.
func (o *outbound) attempt(ctx context.Context) (lasted time.Duration, err error) {
	var stream network.Stream
	if err = o.reach(ctx); err == nil {
		stream, err = o.via.open(ctx, o.to, o.proto)
	}
	if err == nil {
		err = o.exchange(ctx, stream)
	}
	if err != nil {
		o.become(nil, err)
		return 0, err
	}
	up := time.Now()
	err = o.serve(ctx, stream)
	return time.Since(up), err
}

// reach connects to the member. It stops dialling if the member connects to this host first.
func (o *outbound) reach(ctx context.Context) error {
	dial, stop := context.WithCancel(ctx)
	defer stop()
	o.dialing(stop)
	defer o.dialing(nil)
	err := o.via.connect(dial, o.to)
	if dial.Err() != nil && ctx.Err() == nil {
		return nil
	}
	return err
}

func (o *outbound) dialing(stop context.CancelFunc) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dial = stop
}

// exchange exchanges greetings by the version of the protocol that was agreed on, within the deadline that open has set.
func (o *outbound) exchange(ctx context.Context, stream network.Stream) error {
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	err := o.greetOn(stream)
	var full *noRoomError
	var known *mismatch
	switch {
	case errors.As(err, &known):
		_ = stream.Close() // not reset, as below
		return fmt.Errorf("%s %w", o.to, err)
	case errors.Is(err, errMismatch):
		_ = stream.Close() // the stream is not reset, so that the member can read our greeting, too
		return fmt.Errorf("%s has another cluster file (%w): give it and this end the same one", o.to, err)
	case errors.As(err, &full), errors.Is(err, errTwice):
		_ = stream.Conn().Close()
		return fmt.Errorf("%s %w", o.to, err)
	case err != nil:
		_ = stream.Conn().Close()
		return refusedError(o.to, err)
	}
	return err
}

func (o *outbound) greetOn(stream network.Stream) error {
	if _, newer := olderProtocol[stream.Protocol()]; !newer || o.met == nil {
		return o.greet.exchange(stream, o.to)
	}
	theirs, err := o.greet.open(stream, o.to)
	if err == nil {
		o.met(theirs)
		if theirs.told == refusedTwin {
			return errTwice
		}
	}
	return err
}

// serve sends and reads on an open stream until either fails.
func (o *outbound) serve(ctx context.Context, stream network.Stream) error {
	q := newQueue(o.frames, o.bytes)
	o.become(q, nil)
	o.changed()
	o.log.Log(ctx, o.level, "connected", "peer", o.to.String(), "protocol", string(o.proto))

	d := duplex{stream: stream, queue: q, limit: o.maxFrame, chunk: o.chunk, counters: &o.counters, deliver: o.deliver}
	if o.deliver == nil {
		d.limit = 0
		d.deliver = func([]byte) { _ = stream.Reset() }
	}
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
	defer stop()
	err := d.serve()
	if errors.Is(err, io.EOF) {
		err = errClosedByPeer
	}
	err = fmt.Errorf("%s: %w", o.to, err)
	o.become(nil, err)
	o.dropped.Add(uint64(q.close()))
	o.changed()
	return err
}
