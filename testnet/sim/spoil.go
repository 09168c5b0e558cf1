package sim

import (
	"fmt"
	"time"

	"tagma/pbft/wire"
	malicious "tagma/testnet/byzantine/replica"
)

// spoiler is an attacker that sends more than messages, in its time.
type spoiler struct {
	frames      *malicious.Frames
	from, until time.Duration
}

// spoilers are what a replica's malice does to its frames.
func (n *node) spoilers() error {
	n.spoil = nil
	for _, m := range n.malice {
		f, err := malicious.NewFrames(m.Choice)
		if err != nil {
			return fmt.Errorf("replica %d: %w", n.id, err)
		}
		if f != nil {
			n.spoil = append(n.spoil, spoiler{f, m.From, m.Until})
		}
	}
	return nil
}

// spoiled is what goes to a replica in place of a frame.
func (n *node) spoiled(to wire.ReplicaID, frame []byte) [][]byte {
	frames := [][]byte{frame}
	for _, s := range n.spoil {
		if now := n.w.now; now < s.from || s.until > 0 && now >= s.until {
			continue
		}
		before := s.frames.Lies()
		var out [][]byte
		for _, f := range frames {
			out = append(out, s.frames.Pass(to, f)...)
		}
		frames = out
		n.w.hostile[n.id] += int(s.frames.Lies() - before)
	}
	return frames
}

// HostileFrames is how many frames a malicious replica sent that are no message, or none that may be believed.
func (w *World) HostileFrames(id wire.ReplicaID) int { return w.hostile[id] }
