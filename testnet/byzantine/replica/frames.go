package replica

import (
	"bytes"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// Frames changes the frames that a malicious replica sends. An attacker that wraps a core can send only encoded
// messages; Frames can send any bytes. It also gets the frames that a replica sends outside its core, which transfer
// states and batches.
type Frames struct {
	spoil spoiler
	lies  uint64
}

// spoiler is an attacker whose core is honest. It returns the frames that are sent instead of a frame, in order.
type spoiler interface{ pass(frame []byte) [][]byte }

// malformed sends bytes that every decoder must refuse without other effects (S4).
var malformed = tamper.Describe[hostileFrames]("malformed", tamper.Byzantine,
	"sends frames that are no message beside its honest ones: lists of a million entries, deep nesting, cut short",
	"its frames are refused and its links dropped; memory stays bounded; 0 view changes as a backup")

type hostileFrames struct {
	Every uint64 `default:"4" min:"1" max:"1048576" doc:"one hostile frame for every so many honest ones"`
	tamper.Malformed
	count uint64
	made  *tamper.Malformer
}

func (h *hostileFrames) pass(frame []byte) [][]byte {
	if h.made == nil {
		h.made = h.Malformer(0)
	}
	if h.count++; h.count%h.Every != 0 {
		return [][]byte{frame}
	}
	return [][]byte{frame, h.made.Next()}
}

// NewFrames returns the part of a behaviour that changes the frames of its replica, or nil if the behaviour changes none.
func NewFrames(c tamper.Choice) (*Frames, error) {
	made, err := tamper.Make(catalogue, "behaviour", c, nil)
	if s, spoils := made.(spoiler); spoils && err == nil {
		return &Frames{spoil: s}, nil
	}
	return nil, err
}

// Pass returns the frames that are sent to a replica instead of one frame, in order. The caller decides when the
// attacker is active.
func (f *Frames) Pass(_ wire.ReplicaID, frame []byte) [][]byte {
	out := f.spoil.pass(frame)
	if len(out) != 1 || !bytes.Equal(out[0], frame) {
		f.lies++
	}
	return out
}

// Lies returns how many frames were sent instead of an honest frame, or after one (I18).
func (f *Frames) Lies() uint64 { return f.lies }

// exhaust uses up connections, streams and memory of links, and never releases them (I14). Its core is honest. A program
// that runs it over real links also does what tamper.Exhaustion says.
var exhaust = tamper.Describe[tamper.Exhaustion](tamper.Exhaust, tamper.Byzantine,
	"opens streams by the thousand, begins frames and never ends them, reads nothing: on real processes only",
	"≥ 80 % of the throughput; connections, streams and memory of a peer stay bounded")
