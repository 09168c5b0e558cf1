package tamper

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"

	"tagma/pbft/wire"
)

// Malformation is a reason why a frame is not a valid message.
type Malformation = string

// The malformations. A frame with a flipped bit may still be a valid message, if its type has no signature.
const (
	Entries   Malformation = "entries"   // a list announces a million entries, and few, many or no entries follow
	Nesting   Malformation = "nesting"   // lists within lists within lists, each as long as the frame allows
	Truncated Malformation = "truncated" // a message cut short
	Trailing  Malformation = "trailing"  // a message that is followed by further bytes
	Flipped   Malformation = "flipped"   // a message with bits turned
	Noise     Malformation = "noise"     // random bytes after a header that looks right
	// A well-formed message whose numbers are as high as possible; it is unsigned or breaks a rule.
	Extreme Malformation = "extreme"
)

// Malformed declares the parameters of behaviours that send malformed frames.
type Malformed struct {
	Kinds List   `default:"all" words:"entries,nesting,truncated,trailing,flipped,noise,extreme" doc:"what is wrong with the frames, such as "`
	_     any    `doc:"entries+truncated: entries, nesting, truncated, trailing, flipped, noise, extreme"`
	Bytes uint64 `default:"65536" min:"256" max:"16777216" doc:"length of the longest frame, 256 to 16777216; a client's link takes 4194304"`
	Seed  uint64 `default:"0" doc:"seed that decides which frames"`
}

// Malformer returns a Malformer of these malformations. With different numbers it makes different frames.
func (p *Malformed) Malformer(number uint64) *Malformer {
	return NewMalformer(p.Seed+number, int(p.Bytes), p.Kinds...)
}

// Malformer makes hostile frames. With the same seed it makes the same frames.
type Malformer struct {
	dice  *rand.Rand
	kinds []Malformation
	most  int // bytes of a frame
}

// NewMalformer returns a Malformer of these malformations. Its frames have at most most bytes, but 256 bytes are always
// allowed.
func NewMalformer(seed uint64, most int, kinds ...Malformation) *Malformer {
	return &Malformer{dice: rand.New(rand.NewPCG(seed, 2)), kinds: kinds, most: max(most, 256)}
}

// Next returns another frame.
func (m *Malformer) Next() []byte {
	frame := m.frame(m.kinds[m.dice.IntN(len(m.kinds))])
	return frame[:min(len(frame), m.most)]
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

// million is how many entries a list announces. It is more than a message may have, and so few that a decoder might
// reserve memory for them.
const million = 1_000_000

// entries replaces four bytes somewhere in a message by a huge count. It may append many zeros, which a decoder that
// believes the count could read as entries.
func (m *Malformer) entries() []byte {
	frame := wire.Encode(m.message())
	if len(frame) > 6 {
		at := 2 + m.dice.IntN(len(frame)-5)
		if !m.chance(3) { // often choose a place where a count is: at a list that is empty in our messages
			at = m.lastZeros(frame)
		}
		counts := []uint32{million, math.MaxUint32, math.MaxInt32, 1 << 24, 4096, 257}
		binary.BigEndian.PutUint32(frame[at:], counts[m.dice.IntN(len(counts))])
		frame = frame[:at+4]
	}
	return append(frame, make([]byte, m.length())...)
}

// lastZeros returns the position of four zero bytes: the last ones, or sometimes earlier ones.
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

// nesting makes a NewView of many view changes, each with many certificates of many signers. So all nested lists are
// long.
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
	if m.chance(2) { // sometimes one of the counts inside is wrong
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

// length draws a length. Most are short, and some are the longest that is allowed.
func (m *Malformer) length() int {
	if m.chance(8) {
		return m.most
	}
	return m.dice.IntN(256)
}

func (m *Malformer) chance(one int) bool { return m.dice.IntN(one) == 0 }

// spoiled are the types of messages that a malformer makes. Of the types without signature, it makes only those that
// replicas refuse from each other or only answer; others would be accepted.
var spoiled = []wire.Message{
	&wire.Request{}, &wire.PrePrepare{}, &wire.Prepare{}, &wire.Commit{}, &wire.Checkpoint{}, &wire.Suspect{}, &wire.ViewChange{},
	&wire.NewView{}, &wire.Heartbeat{}, &wire.CertifiedBody{}, &wire.StableNotice{}, &wire.Query{}, &wire.Reply{}, &wire.Report{},
	&wire.Status{}, &wire.Attest{}, &wire.Attestation{}, &wire.Prove{}, &wire.Proof{},
}

// message returns a message of one of these types, with absurd numbers and without a valid signature.
func (m *Malformer) message() wire.Message {
	made := reflect.New(reflect.TypeOf(spoiled[m.dice.IntN(len(spoiled))]).Elem())
	m.fill(made.Elem())
	if s, is := made.Interface().(*wire.Status); is { // without this change a valid status would be accepted
		s.Helper = math.MaxUint16
	}
	return made.Interface().(wire.Message)
}

// fill sets every exported field, at all depths, to a value that may be absurd.
func (m *Malformer) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				m.fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		switch v.Interface().(type) {
		case *wire.Body, *wire.Request: // never missing
		default:
			if m.chance(2) {
				return
			}
		}
		v.Set(reflect.New(v.Type().Elem()))
		m.fill(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes(make([]byte, m.dice.IntN(64)))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), m.dice.IntN(4), 4))
		for i := range v.Len() {
			m.fill(v.Index(i))
		}
	case reflect.Array:
		if _, signature := v.Interface().(wire.Signature); !signature {
			for i := range v.Len() {
				v.Index(i).SetUint(uint64(m.dice.IntN(256)))
			}
		}
	case reflect.Bool:
		v.SetBool(m.chance(2))
	case reflect.Int64:
		v.SetInt(int64(m.number()))
	case reflect.Uint16: // mostly a replica that there is
		if v.SetUint(uint64(m.dice.IntN(4))); m.chance(2) {
			v.SetUint(uint64(uint16(m.number())))
		}
	default:
		v.SetUint(m.number())
	}
}

// number returns mostly the lowest or highest number of the range, or one next to it.
func (m *Malformer) number() uint64 {
	ends := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, math.MaxInt64, math.MaxInt64 + 1, 1 << 62, 1<<62 + 1}
	if m.chance(4) {
		return m.dice.Uint64()
	}
	return ends[m.dice.IntN(len(ends))]
}

// Exhaust is the behaviour of replicas and clients that is defined by Exhaustion.
const Exhaust = "exhaust"

// Exhaustion says how an attacker uses up connections, streams and memory of links. It needs real links. It sends no
// messages.
type Exhaustion struct {
	Ways    List   `default:"all" words:"streams,trickle,withhold" doc:"what it uses up, such as streams+trickle: streams, trickle "`
	_       any    `doc:"(frames that never end), withhold (it reads nothing)"`
	Streams uint64 `default:"10000" min:"1" max:"1048576" doc:"how many streams it tries to hold open, over all replicas"`
	Rate    uint64 `default:"50" min:"1" max:"1000000" doc:"how many streams it tries to open in a second"`
}
