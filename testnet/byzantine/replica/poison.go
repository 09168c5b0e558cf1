package replica

import (
	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

// poisonTransfer gives replicas that come back, or were left behind, a wrong state, or none (X0, X3).
var poisonTransfer = tamper.Describe[poison]("poison-transfer", tamper.Byzantine,
	"gives those who fetch a state or batches altered ones, too many, old ones, those of another checkpoint, or none",
	"another donor within T; who fetches ends with the right state")

// poison rewrites what a replica gives to those who fetch. It sees what goes out, and knows no more than that.
type poison struct {
	How string `default:"bad" words:"bad,endless,old,stall,other,forged" doc:"bad: other digests, values and batches; endless: a "`
	_   any    `doc:"value without end, and each answer many times; old: the oldest checkpoint it knows instead of the one asked "`
	_   any    `doc:"for; stall: it promises, and gives nothing; other: the tree of the checkpoint that it first gave, under "`
	_   any    `doc:"later ones; forged: the offer of a checkpoint that nobody signed, or one replica alone"`

	turn int
	old  *wire.StableCert // the oldest certificate that went out
	// Answers about the first checkpoint that was fetched here, by the number of their parts.
	first wire.Seq
	kept  map[int][]transfer.Part
}

func (p *poison) pass(frame []byte) (out [][]byte, lied bool) {
	truth := [][]byte{frame}
	if len(frame) < 2 {
		return truth, false
	}
	switch wire.Type(frame[1]) { // all else is the core's
	case wire.TypeData, wire.TypeSlots, wire.TypeCertifiedBody, wire.TypeHeldBy, wire.TypeStableNotice:
	default:
		return truth, false
	}
	m, err := wire.Decode(frame)
	if err != nil {
		return truth, false
	}
	lies := p.instead(m)
	if len(lies) == 1 && lies[0] == m {
		return truth, false
	}
	for _, lie := range lies {
		out = append(out, wire.Encode(lie))
	}
	return out, true
}

// instead is what goes out in place of a message.
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
		if p.How == "bad" || p.How == "stall" { // it promises batches that it does not send
			return []wire.Message{&wire.Slots{From: m.From, Next: m.Next + 8}}
		}
	default: // no other type comes here
	}
	return []wire.Message{m}
}

// remember keeps the oldest certificate.
func (p *poison) remember(cert *wire.StableCert) {
	if cert.Seq > 0 && (p.old == nil || cert.Seq < p.old.Seq) {
		p.old = cert
	}
}

// data alters an offer or an answer.
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
	case p.How == "stall" && m.Offer != nil && m.Seq > 0: // it serves that one no more, and says that it does
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
