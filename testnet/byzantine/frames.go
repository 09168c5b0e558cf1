package byzantine

import (
	"fmt"

	"tagma/pbft"
)

// Frames stands between a malicious replica and its links, and sees what it sends as bytes. What an actor says is always
// the encoding of a message; what passes here need not be. It also sees what a replica sends beside its core: the state and
// the batches that it gives to others.
type Frames struct {
	spoil spoiler
	lies  uint64
}

// spoiler makes of a frame what goes out in its place, in order.
type spoiler interface {
	pass(to pbft.ReplicaID, frame []byte) (out [][]byte, lied bool)
}

// hostileFrames are frames that no decoder may believe, between honest ones.
type hostileFrames struct {
	every int
	count int
	made  *Malformer
}

// malformed sends what no decoder may believe, or choke on (S4). Its core is honest; its frames are spoiled (NewFrames).
var malformed = Behaviour{
	Name:       "malformed",
	Model:      Byzantine,
	Bound:      "its frames are refused and its links dropped; memory stays bounded; 0 view changes as a backup",
	Summary:    "sends frames that are no message beside its honest ones: lists of a million entries, deep nesting, cut short",
	Parameters: append([]Parameter{{"every", "4", "one hostile frame for every so many honest ones"}}, malformedParameters...),
	build: func(v values, at seat) (Core, error) {
		_, err := newMalformedFrames(v)
		return at.core, err
	},
	frames: newMalformedFrames,
}

func newMalformedFrames(v values) (spoiler, error) {
	every, err := v.number("every")
	if err != nil {
		return nil, err
	}
	if every == 0 || every > 1<<20 {
		return nil, v.wrong("every", "is not between 1 and 1048576")
	}
	h := &hostileFrames{every: int(every)}
	h.made, err = v.malformer()
	return h, err
}

func (h *hostileFrames) pass(_ pbft.ReplicaID, frame []byte) (out [][]byte, lied bool) {
	if h.count++; h.count%h.every != 0 {
		return [][]byte{frame}, false
	}
	_, bad := h.made.Next()
	return [][]byte{frame, bad}, true
}

// NewFrames returns what a behaviour does to the frames of its replica, nil if it leaves them alone.
func NewFrames(c Choice) (*Frames, error) {
	b, v, err := c.resolve()
	if err != nil || b.frames == nil {
		return nil, err
	}
	spoil, err := b.frames(v)
	if err != nil {
		return nil, fmt.Errorf("behaviour %s: %w", b.Name, err)
	}
	return &Frames{spoil: spoil}, nil
}

// Pass returns what goes to a replica in place of a frame, in order. Whoever calls it knows whether it is the attacker's
// time.
func (f *Frames) Pass(to pbft.ReplicaID, frame []byte) [][]byte {
	out, lied := f.spoil.pass(to, frame)
	if lied {
		f.lies++
	}
	return out
}

// Lies is how often an honest frame was followed or replaced by another one (I18).
func (f *Frames) Lies() uint64 { return f.lies }
