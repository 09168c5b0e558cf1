package tamper

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"tagma/pbft/wire"
)

// Malformation is a way for a frame to be no message.
type Malformation string

// The malformations. Some of what is flipped may be a message all the same, of those types that bear no signature.
const (
	Entries   Malformation = "entries"   // a list announces a million entries, and few, many or none follow
	Nesting   Malformation = "nesting"   // lists within lists within lists, each as long as there is room for
	Truncated Malformation = "truncated" // a message cut short
	Trailing  Malformation = "trailing"  // a message with something behind it
	Flipped   Malformation = "flipped"   // a message with bits turned
	Noise     Malformation = "noise"     // bytes by chance, behind a header that looks right
	Extreme   Malformation = "extreme"   // a well formed message whose numbers are as high as they can be, unsigned or against the rules
)

// Malformations lists all of them.
func Malformations() []Malformation {
	return []Malformation{Entries, Nesting, Truncated, Trailing, Flipped, Noise, Extreme}
}

// Malformed declares the parameters of behaviours that send what is no message.
type Malformed struct {
	Kinds List   `default:"all" words:"entries,nesting,truncated,trailing,flipped,noise,extreme" doc:"what is wrong with them, such as "`
	_     any    `doc:"entries+truncated: entries, nesting, truncated, trailing, flipped, noise, extreme"`
	Bytes uint64 `default:"65536" min:"256" max:"16777216" doc:"length of the longest, 256 to 16777216; a client's link takes 4194304"`
	Seed  uint64 `default:"0" doc:"decides which ones"`
}

// Malformer returns one that makes such frames: another one for each number.
func (p *Malformed) Malformer(number uint64) *Malformer {
	kinds := make([]Malformation, len(p.Kinds))
	for i, k := range p.Kinds {
		kinds[i] = Malformation(k)
	}
	return NewMalformer(p.Seed+number, int(p.Bytes), kinds...)
}

// Malformer makes hostile frames: the same ones for the same seed.
type Malformer struct {
	dice  *rand.Rand
	kinds []Malformation
	most  int // bytes of a frame
}

// NewMalformer returns one that makes frames of these kinds, of at most so many bytes, at least 256.
func NewMalformer(seed uint64, most int, kinds ...Malformation) *Malformer {
	return &Malformer{dice: rand.New(rand.NewPCG(seed, 2)), kinds: kinds, most: max(most, 256)}
}

// Next returns another frame and what is wrong with it.
func (m *Malformer) Next() (Malformation, []byte) {
	kind := m.kinds[m.dice.IntN(len(m.kinds))]
	frame := m.frame(kind)
	return kind, frame[:min(len(frame), m.most)]
}

func (m *Malformer) frame(kind Malformation) []byte {
	switch kind {
	case Entries:
		return m.entries()
	case Nesting:
		return m.nesting()
	case Noise:
		return m.noise()
	default: // of a message
	}
	frame := wire.Encode(m.message())
	switch kind {
	case Truncated:
		return frame[:m.dice.IntN(len(frame))]
	case Trailing:
		return append(frame, make([]byte, 1+m.dice.IntN(16))...)
	case Flipped:
		for range 1 + m.dice.IntN(8) {
			frame[m.dice.IntN(len(frame))] ^= 1 << m.dice.IntN(8)
		}
	default: // extreme: its numbers are
	}
	return frame
}

// million is how many entries a list announces: more than any message may hold, and little enough to be tempting.
const million = 1_000_000

// entries replaces four bytes somewhere in a message by a huge count, and may let many zeros follow, which a decoder that
// trusts the count could take for entries.
func (m *Malformer) entries() []byte {
	frame := wire.Encode(m.message())
	if len(frame) > 6 {
		at := 2 + m.dice.IntN(len(frame)-5)
		if !m.chance(3) { // often where a count is: behind a list that is empty in our messages
			at = m.lastZeros(frame)
		}
		counts := []uint32{million, math.MaxUint32, math.MaxInt32, 1 << 24, 4096, 257}
		binary.BigEndian.PutUint32(frame[at:], counts[m.dice.IntN(len(counts))])
		frame = frame[:at+4]
	}
	return append(frame, make([]byte, m.length())...)
}

// lastZeros is the place of four zero bytes, by chance one of several.
func (m *Malformer) lastZeros(frame []byte) int {
	found := 2
	for i := 2; i+4 <= len(frame); i++ {
		if binary.BigEndian.Uint32(frame[i:]) == 0 {
			found = i
			if m.chance(8) {
				break
			}
		}
	}
	return found
}

// nesting is a new view of many view changes, each with many certificates of many signers: all lists that there are.
func (m *Malformer) nesting() []byte {
	deep := &wire.NewView{View: wire.View(m.number())}
	for room := m.most; room > 0 && len(deep.ViewChanges) < wire.MaxMembers; {
		change := wire.ViewChange{View: deep.View, Replica: wire.ReplicaID(len(deep.ViewChanges))}
		width := 1 + m.dice.IntN(8)
		change.Suspects = make([]wire.Suspect, width)
		change.Stable.Checkpoints = make([]wire.Endorsement, width)
		for i := range width {
			change.Prepared = append(change.Prepared, wire.PreparedCert{Seq: wire.Seq(i), Prepares: make([]wire.Endorsement, width)})
		}
		deep.ViewChanges = append(deep.ViewChanges, change)
		room -= width * (width + 4) * 70
	}
	deep.Proposals = make([]wire.Proposal, m.dice.IntN(64))
	frame := wire.Encode(deep)
	if m.chance(2) { // and a count inside that is wrong
		binary.BigEndian.PutUint32(frame[2+m.dice.IntN(len(frame)-5):], m.dice.Uint32())
	}
	return frame
}

func (m *Malformer) noise() []byte {
	frame := make([]byte, m.length())
	for i := range frame {
		frame[i] = byte(m.dice.Uint32())
	}
	if len(frame) > 1 {
		frame[0], frame[1] = wire.FormatVersion, byte(m.dice.IntN(24))
	}
	return frame
}

// length is mostly short and sometimes all there is room for.
func (m *Malformer) length() int {
	if m.chance(8) {
		return m.most
	}
	return m.dice.IntN(256)
}

func (m *Malformer) chance(one int) bool { return m.dice.IntN(one) == 0 }
