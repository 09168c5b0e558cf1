package assault

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

const (
	// connections is how many an attacker makes to one replica: more than a member or a usual client may have.
	connections = 16
	// trickleEvery is how long it waits for the next byte of a frame: often enough to seem alive.
	trickleEvery = time.Second
	// announced is the length of a frame that never ends.
	announced = 1 << 20
)

// exhaust has goroutines for every way to use up what links are made of.
func (a *Attacker) exhaust(ctx context.Context, o Options, e *tamper.Exhaustion) error {
	list, protocols, err := victims(o)
	if err != nil {
		return err
	}
	for _, to := range list {
		if e.Ways.Has("streams") {
			if err := a.openMany(ctx, o, to, e, len(list)); err != nil {
				return err
			}
		}
		for _, proto := range protocols {
			if e.Ways.Has("trickle") {
				if err := a.each(ctx, o, to, proto, a.trickle); err != nil {
					return err
				}
			}
			if e.Ways.Has("withhold") {
				if err := a.each(ctx, o, to, proto, a.withhold); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// each repeats something on one greeted stream after the other, over a connection of its own.
func (a *Attacker) each(
	ctx context.Context, o Options, to target, proto protocol.ID, do func(context.Context, network.Stream),
) error {
	p, err := a.peer(o)
	if err != nil {
		return err
	}
	p.SetStreamHandler(a.deaf(p.greeting))
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
			_ = stream.Reset()
			release()
			if ctx.Err() == nil {
				a.dropped.Add(1)
			}
		}
	})
	return nil
}

func (a *Attacker) refuse(ctx context.Context) {
	if ctx.Err() == nil {
		a.refused.Add(1)
	}
}

// trickle begins a frame and sends a byte of it now and then.
func (a *Attacker) trickle(ctx context.Context, stream network.Stream) {
	_, err := stream.Write(binary.BigEndian.AppendUint32(nil, announced))
	for err == nil {
		a.frames.Add(1)
		if !pause(ctx, trickleEvery) {
			return
		}
		_, err = stream.Write([]byte{0})
	}
}

// withhold never reads an answer. A client asks and asks; to a replica others speak without being asked.
func (a *Attacker) withhold(ctx context.Context, stream network.Stream) {
	if stream.Protocol() != clientProtocol {
		<-ctx.Done()
		return
	}
	question := framed(wire.Encode(&wire.Inquire{}))
	for ctx.Err() == nil {
		if _, err := stream.Write(question); err != nil {
			return
		}
		a.frames.Add(1)
	}
}

// deaf takes the streams that a replica opens to us, and reads nothing of them.
func (a *Attacker) deaf(greeting []byte) network.StreamHandler {
	offered := multistream.NewMultistreamMuxer[protocol.ID]()
	for _, proto := range []protocol.ID{replicaProtocol, bulkProtocol} {
		offered.AddHandler(proto, nil)
	}
	return func(stream network.Stream) {
		_ = stream.SetDeadline(time.Now().Add(patience)) // what follows fails if this does
		if _, _, err := offered.Negotiate(stream); err != nil {
			_ = stream.Reset()
			return
		}
		if _, err := stream.Write(framed(greeting)); err != nil {
			_ = stream.Reset()
			return
		}
		if _, err := io.ReadFull(stream, make([]byte, 4+len(greeting))); err != nil {
			_ = stream.Reset()
			return
		}
		a.streams.Add(1) // and it stays open as long as its connection
	}
}

// openMany opens streams to one of so many replicas, over several connections, and never says on them what they are for.
func (a *Attacker) openMany(ctx context.Context, o Options, to target, e *tamper.Exhaustion, replicas int) error {
	due := make(chan struct{})
	a.running.Go(func() { beatEvery(ctx, time.Second*time.Duration(replicas)/time.Duration(e.Rate), due) })
	room := make(chan struct{}, max(1, int(e.Streams)/replicas)) // holds a token for every stream that is open
	for range connections {
		p, err := a.peer(o)
		if err != nil {
			return err
		}
		p.SetStreamHandler(func(s network.Stream) { _ = s.Reset() })
		a.running.Go(func() {
			for range due {
				select {
				case room <- struct{}{}:
				default:
					continue // as many as it wanted
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

// beatEvery sends on due so often, or as often as it is heard, and closes it when the context ends.
func beatEvery(ctx context.Context, every time.Duration, due chan<- struct{}) {
	defer close(due)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return
		case due <- struct{}{}:
		}
	}
}

// hello is the beginning of a negotiation, which makes the other side notice a stream.
const hello = "\x13/multistream/1.0.0\n"

// openIdle opens a stream and leaves it open until the other side ends it. It reports whether it was served at all.
func (a *Attacker) openIdle(ctx context.Context, p *rawPeer, to target, ended func()) bool {
	if p.connect(ctx, to) != nil {
		return false
	}
	stream, err := p.NewStream(ctx, to.id)
	if err != nil {
		return false
	}
	_ = stream.SetDeadline(time.Now().Add(patience)) // what follows fails if this does
	_, err = stream.Write([]byte(hello))
	if err == nil {
		_, err = stream.Read(make([]byte, 1)) // a stream that is refused yields an error instead
	}
	if err != nil {
		_ = stream.Reset()
		return false
	}
	release := a.hold()
	a.running.Go(func() {
		defer ended()
		defer release()
		_ = stream.SetDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, stream) // to its end
		_ = stream.Reset()
		if ctx.Err() == nil {
			a.dropped.Add(1)
		}
	})
	return true
}
