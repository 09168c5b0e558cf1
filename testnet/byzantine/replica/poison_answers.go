package replica

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
)

// How much there is of what does not end.
const (
	endlessValue   = 60 << 20 // bytes that a value is said to have: not more than a receiver believes in
	endlessAnswers = 8        // copies of each answer, under numbers that nobody asked for
)

// answer alters an answer to a question for state.
func (p *poison) answer(m *wire.Data) []wire.Message {
	a, err := transfer.DecodeAnswer(m.Answer)
	if err != nil {
		return []wire.Message{m}
	}
	say := func(a transfer.Answer) wire.Message { return &wire.Data{Seq: m.Seq, Answer: a.Encode()} }
	switch p.How {
	case "bad":
		wrong := &a.Parts[p.turn%len(a.Parts)]
		p.turn++
		spoilPart(wrong)
		return []wire.Message{say(a)}
	case "endless":
		return p.endless(a, say)
	default:
		return p.foreign(m, a, say)
	}
}

// endless puts off all but one part, says that long values are longer, and repeats itself.
func (p *poison) endless(a transfer.Answer, say func(transfer.Answer) wire.Message) (out []wire.Message) {
	for i := range a.Parts {
		switch part := &a.Parts[i]; {
		case part.Kind == transfer.IsLong:
			part.Long.Length = endlessValue
		case part.Kind == transfer.IsPage && len(part.Page) == 1: // true, but for its length
			e := &part.Page[0]
			*part = transfer.Part{Kind: transfer.IsLong, Long: transfer.Long{
				Key: e.Key, Length: endlessValue, Hash: sha256.Sum256(e.Value),
			}}
		case part.Kind == transfer.IsChunk:
			part.Chunk = make([]byte, transfer.ChunkSize)
		case i > 0:
			*part = transfer.Part{Kind: transfer.IsLater}
		}
	}
	out = append(out, say(a))
	for range endlessAnswers {
		p.turn++
		a.ID += 1<<16 + uint32(p.turn)
		out = append(out, say(a))
	}
	return out
}

// foreign answers with what it said of the first checkpoint that was fetched here: a true tree, of another state.
func (p *poison) foreign(m *wire.Data, a transfer.Answer, say func(transfer.Answer) wire.Message) []wire.Message {
	if p.first == 0 {
		p.first = m.Seq
	}
	if m.Seq == p.first {
		const most = 64 // different lengths
		if p.kept == nil {
			p.kept = map[int][]transfer.Part{}
		}
		if p.kept[len(a.Parts)] == nil && len(p.kept) < most {
			p.kept[len(a.Parts)] = a.Parts
		}
		return []wire.Message{m}
	}
	other := p.kept[len(a.Parts)]
	if other == nil {
		return []wire.Message{m}
	}
	return []wire.Message{say(transfer.Answer{ID: a.ID, Parts: other})}
}

// spoilPart changes something in a part that its hash depends on.
func spoilPart(p *transfer.Part) {
	switch p.Kind {
	case transfer.IsNode:
		spoilNode(p.Node)
	case transfer.IsPage:
		last := &p.Page[len(p.Page)-1]
		last.Value = turned(last.Value)
	case transfer.IsLong:
		p.Long.Hash[0] ^= 1
	case transfer.IsChunk:
		p.Chunk = turned(p.Chunk)
	case transfer.IsLater:
		*p = transfer.Part{Kind: transfer.IsNode, Node: &transfer.Node{}}
	}
}

func spoilNode(n *transfer.Node) {
	for slot := range n.Digest {
		switch bit := uint16(1) << slot; {
		case n.Present&^n.Same&bit == 0:
			continue
		case n.Entries&bit != 0:
			n.Entry[slot].Value = turned(n.Entry[slot].Value)
		default:
			n.Digest[slot][0] ^= 1
		}
		return
	}
	for slot := range n.Digest { // all that it says is that they are the same
		if bit := uint16(1) << slot; n.Present&bit == 0 {
			n.Present |= bit
			return
		}
	}
}

// turned is a copy of a value with a bit turned, or longer by a byte if it is empty.
func turned(value []byte) []byte {
	if len(value) == 0 {
		return []byte{1}
	}
	out := bytes.Clone(value)
	out[len(out)-1] ^= 1
	return slices.Clip(out)
}
