package link

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

const (
	// connections is how many connections an attacker opens to one replica. It is more than a member or a normal client
	// may have.
	connections = 16
	// announced is the length in the header of a frame that is never completed. The attacker sends one byte of that
	// frame in each trickleEvery. That is often enough to keep the link open.
	announced    = 1 << 20
	trickleEvery = time.Second
	// betweenFrames is the time between two hostile frames.
	betweenFrames = 5 * time.Millisecond
	// comeBack is how long the attacker waits after a replica ended a stream, and tryAgain how long it waits after a
	// replica refused one. It waits because each attempt costs both sides a handshake.
	comeBack = 20 * time.Millisecond
	tryAgain = time.Second
)

// malform sends malformed frames, or frames that are no message, to each replica on each protocol.
func (a *Dormant) malform(ctx context.Context, o Options, made *tamper.Malformed) error {
	list, protocols, err := victims(o)
	if err != nil {
		return err
	}
	p, err := a.peer(o)
	if err != nil {
		return err
	}
	for i, to := range list {
		for j, proto := range protocols {
			frames, dice := made.Malformer(uint64(i*len(protocols)+j)), rand.New(rand.NewPCG(uint64(i), uint64(j)))
			a.again(ctx, p, to, proto, func(ctx context.Context, stream network.Stream) {
				open, end := context.WithCancel(ctx)
				a.running.Go(func() {
					// This returns when the replica ends the stream, which is what the attacker waits for.
					_, _ = io.Copy(io.Discard, stream)
					end()
				})
				for sent := true; sent && pause(open, betweenFrames); {
					_ = stream.SetWriteDeadline(time.Now().Add(patience)) // if this fails, the write fails, too
					sent = a.write(stream, hostile(dice, frames.Next()))
				}
			})
		}
	}
	return nil
}

// hostile returns the bytes that are written instead of a frame.
func hostile(dice *rand.Rand, frame []byte) []byte {
	switch dice.IntN(4) {
	case 0: // 4 GiB are announced
		return append([]byte{0xff, 0xff, 0xff, 0xff}, frame[:min(len(frame), 64)]...)
	case 1: // more than any frame may have
		return append(binary.BigEndian.AppendUint32(nil, uint32(math.MaxInt32)), frame[:min(len(frame), 64)]...)
	case 2: // cut short: whatever comes next is taken for the rest of it
		whole := framed(frame)
		return whole[:4+dice.IntN(len(whole)-3)]
	default:
		return framed(frame)
	}
}

// exhaust starts one goroutine for each way to use up the resources of links.
func (a *Dormant) exhaust(ctx context.Context, o Options, e *tamper.Exhaustion) error {
	list, protocols, err := victims(o)
	if err != nil {
		return err
	}
	ways := map[string]func(context.Context, network.Stream){"trickle": a.trickle, "withhold": a.withhold}
	for _, to := range list {
		if e.Ways.Has("streams") {
			if err := a.openMany(ctx, o, to, e, len(list)); err != nil {
				return err
			}
		}
		for _, proto := range protocols {
			for _, way := range []string{"trickle", "withhold"} {
				if !e.Ways.Has(way) {
					continue
				}
				p, err := a.peer(o) // a connection of its own
				if err != nil {
					return err
				}
				p.SetStreamHandler(a.deaf(p.greeting))
				a.again(ctx, p, to, proto, ways[way])
			}
		}
	}
	return nil
}

// again opens one greeted stream after the other until the attack ends, and calls do with each of them.
func (a *Dormant) again(
	ctx context.Context, p *rawPeer, to peer.AddrInfo, proto protocol.ID, do func(context.Context, network.Stream),
) {
	a.running.Go(func() {
		for wait := comeBack; pause(ctx, wait); {
			stream, err := p.greeted(ctx, to, proto)
			if err != nil {
				a.refuse(ctx)
				wait = tryAgain
				continue
			}
			wait = comeBack
			release := a.hold()
			stop := context.AfterFunc(ctx, func() { _ = stream.Reset() })
			do(ctx, stream)
			stop()
			a.ended(ctx, stream)
			release()
		}
	})
}

// ended counts a stream that a replica ended.
func (a *Dormant) ended(ctx context.Context, stream network.Stream) {
	if _ = stream.Reset(); ctx.Err() == nil {
		a.dropped.Add(1)
	}
}

func (a *Dormant) refuse(ctx context.Context) {
	if ctx.Err() == nil {
		a.refused.Add(1)
	}
}

// write sends hostile bytes and reports whether they could be written.
func (a *Dormant) write(stream network.Stream, what []byte) bool {
	_, err := stream.Write(what)
	if err == nil {
		a.frames.Add(1)
	}
	return err == nil
}

// trickle sends the beginning of a frame and then a single byte from time to time.
func (a *Dormant) trickle(ctx context.Context, stream network.Stream) {
	next := binary.BigEndian.AppendUint32(nil, announced)
	for a.write(stream, next) && pause(ctx, trickleEvery) {
		next = []byte{0}
	}
}

// withhold never reads from its stream. As a client it sends inquiries without end, so that unread answers collect at
// the replica. As a replica it need not ask, because others send to it anyway.
func (a *Dormant) withhold(ctx context.Context, stream network.Stream) {
	if stream.Protocol() != clientProtocol {
		<-ctx.Done()
		return
	}
	question := framed(wire.Encode(&wire.Inquire{}))
	for ctx.Err() == nil {
		if !a.write(stream, question) {
			return
		}
	}
}

// deaf accepts the streams that a replica opens to the attacker, and never reads from them.
func (a *Dormant) deaf(greeting []byte) network.StreamHandler {
	offered := multistream.NewMultistreamMuxer[protocol.ID]()
	for _, proto := range []protocol.ID{replicaProtocol, bulkProtocol} {
		offered.AddHandler(proto, nil)
	}
	return func(stream network.Stream) {
		if settle(stream, func() error {
			if _, _, err := offered.Negotiate(stream); err != nil {
				return err
			}
			return greet(stream, greeting)
		}) != nil {
			return
		}
		a.streams.Add(1) // the stream remains open as long as its connection
	}
}

// openMany opens streams to one replica, over several connections, and does not agree on a protocol on any of them.
func (a *Dormant) openMany(ctx context.Context, o Options, to peer.AddrInfo, e *tamper.Exhaustion, replicas int) error {
	due := time.NewTicker(time.Second * time.Duration(replicas) / time.Duration(e.Rate)) // shared by all connections
	context.AfterFunc(ctx, due.Stop)
	room := make(chan struct{}, max(1, int(e.Streams)/replicas)) // has one entry for every open stream
	for range connections {
		p, err := a.peer(o)
		if err != nil {
			return err
		}
		p.SetStreamHandler(func(s network.Stream) { _ = s.Reset() })
		a.running.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-due.C:
				}
				select {
				case room <- struct{}{}:
				default:
					continue // enough streams are open
				}
				if !a.openIdle(ctx, p, to, func() { <-room }) {
					a.refuse(ctx)
					<-room
				}
			}
		})
	}
	return nil
}

// hello is the beginning of a negotiation. Before it is sent, the other side does not notice the stream.
const hello = "\x13/multistream/1.0.0\n"

// openIdle opens a stream and leaves it open until the other side ends it. It reports whether the other side accepted
// it.
func (a *Dormant) openIdle(ctx context.Context, p *rawPeer, to peer.AddrInfo, ended func()) bool {
	stream, err := p.open(ctx, to, func(stream network.Stream) error {
		_, err := stream.Write([]byte(hello))
		if err == nil {
			_, err = stream.Read(make([]byte, 1)) // if the other side refuses the stream, this returns an error
		}
		return err
	})
	if err != nil {
		return false
	}
	release := a.hold()
	a.running.Go(func() {
		defer ended()
		defer release()
		_, _ = io.Copy(io.Discard, stream) // to its end
		a.ended(ctx, stream)
	})
	return true
}
