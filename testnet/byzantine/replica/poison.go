package replica

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// poisonTransfer gives a wrong state, or none, to replicas that recover or were left behind (X0, X3).
var poisonTransfer = tamper.Describe[poison]("poison-transfer", tamper.Byzantine,
	"answers a fetch of a state or of batches with altered data, too much, old data, those of another checkpoint, or nothing",
	"another donor answers within T; the replica that fetches ends with the right state")

// poison changes the answers that a replica gives to replicas that fetch. It sees only outgoing messages.
type poison struct {
	How string `default:"bad" words:"bad,endless,old,stall,other,forged" doc:"bad: other digests, values and batches; endless: a "`
	_   any    `doc:"value without end, and each answer many times; old: the oldest checkpoint it knows instead of the one asked "`
	_   any    `doc:"for; stall: it promises, and gives nothing; other: the tree of the first checkpoint that was fetched, under "`
	_   any    `doc:"later ones; forged: the offer of a checkpoint that nobody signed, or only one replica"`

	turn int
	old  *wire.StableCert // the oldest certificate that was sent
	// Answers about the first checkpoint that another replica fetched here, by their number of parts.
	first wire.Seq
	kept  map[int][]transfer.Part
}

func (p *poison) pass(frame []byte) (out [][]byte) {
	m, err := wire.Decode(frame)
	if err != nil {
		return [][]byte{frame}
	}
	for _, lie := range p.instead(m) {
		out = append(out, wire.Encode(lie))
	}
	return out
}

// instead returns the messages that are sent instead of one message.
func (p *poison) instead(m wire.Message) []wire.Message {
	switch m := m.(type) {
	case *wire.Data:
		return p.data(m)
	case *wire.HeldBy:
		p.remember(&m.Stable)
	case *wire.StableNotice:
		p.remember(&m.Cert)
	case *wire.CertifiedBody: // a committed batch, altered or kept
		if p.How == "stall" {
			return nil
		}
		if p.How == "bad" && m.Body != nil {
			body := &wire.Body{Time: m.Body.Time + 1, Requests: m.Body.Requests}
			return []wire.Message{&wire.CertifiedBody{Seq: m.Seq, Body: body, Cert: m.Cert}}
		}
	case *wire.Slots:
		if p.How == "bad" || p.How == "stall" { // the attacker says that it sent batches, but does not send them
			return []wire.Message{&wire.Slots{From: m.From, Next: m.Next + 8}}
		}
	default: // all other messages stay the core's
	}
	return []wire.Message{m}
}

// remember keeps the oldest certificate.
func (p *poison) remember(cert *wire.StableCert) {
	if cert.Seq > 0 && (p.old == nil || cert.Seq < p.old.Seq) {
		p.old = cert
	}
}

// data changes the offer of a state, or an answer.
func (p *poison) data(m *wire.Data) []wire.Message {
	offered := m.Seq
	if m.Offer != nil {
		p.remember(m.Offer)
		offered = m.Offer.Seq
	}
	answers := m.Offer == nil && len(m.Answer) > 0
	switch {
	case p.How == "old" && p.old != nil && p.old.Seq < offered:
		return []wire.Message{&wire.Data{Seq: m.Seq, Offer: p.old}}
	case p.How == "stall" && m.Offer != nil && m.Seq > 0: // it serves this checkpoint no longer, but claims to
		return []wire.Message{&wire.Data{Seq: m.Seq}}
	case p.How == "forged" && m.Offer != nil && offered > 0:
		p.turn++
		forged := &wire.StableCert{Seq: 2 * offered, Digest: shifted(0)(m.Offer.Digest)}
		if p.turn%2 == 0 {
			forged.Checkpoints = m.Offer.Checkpoints[:1]
		}
		return []wire.Message{&wire.Data{Seq: m.Seq, Offer: forged}}
	case answers && p.How == "stall":
		return nil
	case answers && (p.How == "bad" || p.How == "endless" || p.How == "other"):
		return p.answer(m)
	}
	return []wire.Message{m}
}

// Sizes of the answers of the mode endless.
const (
	endlessValue   = 60 << 20 // the length that a value claims to have: no more than a receiver accepts
	endlessAnswers = 8        // copies of each answer, with IDs of questions that nobody asked
)

// answer changes the answer to a question for state.
func (p *poison) answer(m *wire.Data) []wire.Message {
	a, err := transfer.DecodeAnswer(m.Answer)
	if err != nil {
		return []wire.Message{m}
	}
	say := func(a transfer.Answer) wire.Message { return &wire.Data{Seq: m.Seq, Answer: a.Encode()} }
	switch p.How {
	case "bad":
		spoil(a.Parts, p.turn%len(a.Parts)) // each time another part, beginning with the root
		p.turn++
		return []wire.Message{say(a)}
	case "endless":
		return p.endless(a, say)
	default:
		return p.foreign(m, a, say)
	}
}

// endless answers only the first part of each question, claims that long values are much longer than they are, and sends
// the answer several times.
func (p *poison) endless(a transfer.Answer, say func(transfer.Answer) wire.Message) (out []wire.Message) {
	for i := range a.Parts {
		switch part := &a.Parts[i]; {
		case part.Kind == transfer.IsLong:
			part.Long.Length = endlessValue
		case part.Kind == transfer.IsPage && len(part.Page) == 1: // the page is true, but for its length
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

// foreign answers with parts of the first checkpoint that was fetched here. They are parts of a valid tree, but of
// another state.
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

// spoil flips the last bit of a part's encoding, which changes the part's hash. If the result cannot be decoded, the
// part becomes an empty node.
func spoil(parts []transfer.Part, which int) {
	upTo := transfer.Answer{Parts: parts[:which+1]}
	wrong, err := transfer.DecodeAnswer(turned(upTo.Encode()))
	if err != nil {
		parts[which] = transfer.Part{Kind: transfer.IsNode, Node: &transfer.Node{}}
		return
	}
	parts[which] = wrong.Parts[which]
}

// turned returns a copy of a value with one bit flipped. If the value is empty, the copy has one byte.
func turned(value []byte) []byte {
	if len(value) == 0 {
		return []byte{1}
	}
	out := bytes.Clone(value)
	out[len(out)-1] ^= 1
	return slices.Clip(out)
}
