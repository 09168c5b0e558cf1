package byzantine

import (
	"tagma/checkpoint/transfer"
	"tagma/pbft"
)

// poisonTransfer gives replicas that come back, or were left behind, a wrong state, or none (X0, X3).
var poisonTransfer = Behaviour{
	Name:    "poison-transfer",
	Model:   Byzantine,
	Summary: "gives those who fetch a state or batches altered ones, too many, old ones, those of another checkpoint, or none",
	Bound:   "another donor within T; who fetches ends with the right state",
	Parameters: []Parameter{
		{
			"how", "bad", "bad: other digests, values and batches; endless: a value without end, and each answer many times; " +
				"old: the oldest checkpoint it knows instead of the one asked for; stall: it promises, and gives nothing; " +
				"other: the tree of the checkpoint that it first gave, under later ones; " +
				"forged: the offer of a checkpoint that nobody signed, or one replica alone",
		},
	},
	build: func(v values, at seat) (Core, error) {
		_, err := newPoison(v)
		return at.core, err
	},
	frames: newPoison,
}

// poison rewrites what a replica gives to those who fetch. It sees what goes out, and knows no more than that.
type poison struct {
	how  string
	turn int
	old  *pbft.StableCert // the oldest certificate that went out
	// Answers about the first checkpoint that was fetched here, by the number of their parts.
	first pbft.Seq
	kept  map[int][]transfer.Part
}

func newPoison(v values) (spoiler, error) {
	p := &poison{kept: map[int][]transfer.Part{}}
	var err error
	p.how, err = v.oneOf("how", "bad", "endless", "old", "stall", "other", "forged")
	return p, err
}

func (p *poison) pass(_ pbft.ReplicaID, frame []byte) (out [][]byte, lied bool) {
	truth := [][]byte{frame}
	if len(frame) < 2 {
		return truth, false
	}
	switch pbft.Type(frame[1]) { // all else is the core's
	case pbft.TypeData, pbft.TypeSlots, pbft.TypeCertifiedBody, pbft.TypeHeldBy, pbft.TypeStableNotice:
	default:
		return truth, false
	}
	m, err := pbft.Decode(frame)
	if err != nil {
		return truth, false
	}
	lies := p.instead(m)
	if len(lies) == 1 && lies[0] == m {
		return truth, false
	}
	for _, lie := range lies {
		out = append(out, pbft.Encode(lie))
	}
	return out, true
}

// instead is what goes out in place of a message.
func (p *poison) instead(m pbft.Message) []pbft.Message {
	switch m := m.(type) {
	case *pbft.Data:
		return p.data(m)
	case *pbft.HeldBy:
		p.remember(&m.Stable)
	case *pbft.StableNotice:
		p.remember(&m.Cert)
	case *pbft.CertifiedBody:
		return p.batch(m)
	case *pbft.Slots:
		if p.how == "bad" || p.how == "stall" { // it promises batches that it does not send
			return []pbft.Message{&pbft.Slots{From: m.From, Next: m.Next + 8}}
		}
	default: // no other type comes here
	}
	return []pbft.Message{m}
}

// remember keeps the oldest certificate.
func (p *poison) remember(cert *pbft.StableCert) {
	if cert.Seq > 0 && (p.old == nil || cert.Seq < p.old.Seq) {
		p.old = cert
	}
}

// batch alters a committed batch, or keeps it.
func (p *poison) batch(m *pbft.CertifiedBody) []pbft.Message {
	switch {
	case p.how == "stall":
		return nil
	case p.how == "bad" && m.Body != nil:
		body := *m.Body
		body.Time++
		return []pbft.Message{&pbft.CertifiedBody{Seq: m.Seq, Body: &body, Cert: m.Cert}}
	default:
		return []pbft.Message{m}
	}
}

// data alters an offer or an answer.
func (p *poison) data(m *pbft.Data) []pbft.Message {
	if m.Offer != nil {
		return p.offer(m)
	}
	switch {
	case p.how == "old" && p.old != nil && p.old.Seq < m.Seq:
		return []pbft.Message{&pbft.Data{Seq: m.Seq, Offer: p.old}}
	case len(m.Answer) == 0:
	case p.how == "stall":
		return nil
	case p.how == "bad" || p.how == "endless" || p.how == "other":
		return p.answer(m)
	}
	return []pbft.Message{m}
}

func (p *poison) offer(m *pbft.Data) []pbft.Message {
	p.remember(m.Offer)
	switch {
	case p.how == "old" && p.old != nil && p.old.Seq < m.Offer.Seq:
		return []pbft.Message{&pbft.Data{Seq: m.Seq, Offer: p.old}}
	case p.how == "stall" && m.Seq > 0: // it serves that one no more, and says that it does
		return []pbft.Message{&pbft.Data{Seq: m.Seq}}
	case p.how == "forged" && m.Offer.Seq > 0:
		p.turn++
		forged := &pbft.StableCert{Seq: 2 * m.Offer.Seq, Digest: shifted(m.Offer.Digest, 0)}
		if p.turn%2 == 0 {
			forged.Checkpoints = m.Offer.Checkpoints[:1]
		}
		return []pbft.Message{&pbft.Data{Seq: m.Seq, Offer: forged}}
	default:
		return []pbft.Message{m}
	}
}
