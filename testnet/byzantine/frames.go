package byzantine

import "tagma/pbft"

// Frames stands between a malicious replica and its links, and sees what it sends as bytes. What an actor says is always
// the encoding of a message; what passes here need not be.
type Frames struct {
	every int
	count int
	made  *Malformer
	lies  uint64
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
}

func newMalformedFrames(v values) (*Frames, error) {
	every, err := v.number("every")
	if err != nil {
		return nil, err
	}
	if every == 0 || every > 1<<20 {
		return nil, v.wrong("every", "is not between 1 and 1048576")
	}
	f := &Frames{every: int(every)}
	f.made, err = v.malformer()
	return f, err
}

// NewFrames returns what a behaviour does to the frames of its replica, nil if it leaves them alone.
func NewFrames(c Choice) (*Frames, error) {
	if c.Name != malformed.Name {
		return nil, nil
	}
	v, err := fill(c, malformed.Parameters)
	if err != nil {
		return nil, err
	}
	return newMalformedFrames(v)
}

// Pass returns what goes to a replica in place of a frame, in order. Whoever calls it knows whether it is the attacker's
// time.
func (f *Frames) Pass(_ pbft.ReplicaID, frame []byte) [][]byte {
	if f.count++; f.count%f.every != 0 {
		return [][]byte{frame}
	}
	_, bad := f.made.Next()
	f.lies++
	return [][]byte{frame, bad}
}

// Lies is how many hostile frames there were (I18).
func (f *Frames) Lies() uint64 { return f.lies }
