package assault

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"tagma/testnet/byzantine/tamper"
)

// How fast hostile frames follow each other, how soon an attacker that was thrown out comes back, and how soon one that
// was not let in tries again: each try costs both sides a handshake.
const (
	betweenFrames = 5 * time.Millisecond
	comeBack      = 20 * time.Millisecond
	tryAgain      = time.Second
)

// malform has a goroutine a replica and protocol send what is no frame, or no message.
func (a *Attacker) malform(ctx context.Context, o Options) error {
	made, err := malformed(o.Choice)
	if err != nil {
		return err
	}
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
			m := &malforming{made: made.Malformer(uint64(i*len(protocols) + j)), dice: rand.New(rand.NewPCG(uint64(i), uint64(j)))}
			a.running.Go(func() {
				for again := true; again; {
					wait := comeBack
					if !a.malformUntilDropped(ctx, p, to, proto, m) {
						wait = tryAgain
					}
					again = pause(ctx, wait)
				}
			})
		}
	}
	return nil
}

// malformed reads the behaviour of a replica or a client. How often it is hostile is another matter on raw links.
func malformed(c tamper.Choice) (*tamper.Malformed, error) {
	p := &struct {
		Every string `doc:"between frames"`
		tamper.Malformed
	}{}
	return &p.Malformed, tamper.Bind(p, c, nil)
}

// malforming is what one stream after the other is sent.
type malforming struct {
	made *tamper.Malformer
	dice *rand.Rand
}

// malformUntilDropped opens a stream and sends hostile frames on it until the replica ends it. It reports whether there
// was a stream at all.
func (a *Attacker) malformUntilDropped(ctx context.Context, p *rawPeer, to target, proto protocol.ID, m *malforming) bool {
	stream, err := p.greeted(ctx, to, proto)
	if err != nil {
		a.refuse(ctx)
		return false
	}
	defer a.hold()()
	ended := make(chan struct{})
	a.running.Go(func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, stream) // to its end, which is what we wait for
	})
	defer func() {
		_ = stream.Reset()
		<-ended
	}()
	for {
		if !m.send(stream) {
			break
		}
		a.frames.Add(1)
		next := time.NewTimer(betweenFrames)
		select {
		case <-ended:
		case <-ctx.Done():
		case <-next.C:
			continue
		}
		next.Stop()
		break
	}
	if ctx.Err() == nil {
		a.dropped.Add(1)
	}
	return true
}

// send writes something hostile and reports whether the link took it.
func (m *malforming) send(stream network.Stream) bool {
	_ = stream.SetWriteDeadline(time.Now().Add(patience)) // the write fails if this does
	_, frame := m.made.Next()
	var wire []byte
	switch m.dice.IntN(4) {
	case 0: // 4 GiB are announced
		wire = append([]byte{0xff, 0xff, 0xff, 0xff}, frame[:min(len(frame), 64)]...)
	case 1: // a byte more than any frame may have
		wire = append(binary.BigEndian.AppendUint32(nil, uint32(math.MaxInt32)), frame[:min(len(frame), 64)]...)
	case 2: // cut short: whatever comes next is taken for the rest of it
		wire = framed(frame)
		wire = wire[:4+m.dice.IntN(len(wire)-3)]
	default:
		wire = framed(frame)
	}
	_, err := stream.Write(wire)
	return err == nil
}
