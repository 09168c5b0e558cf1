package byzantine

import (
	"fmt"

	"tagma/pbft"
)

// equivocate tells every replica something else under one signature key, so that nobody can prepare (§4.2, E1).
var equivocate = Behaviour{
	Name:    "equivocate",
	Model:   Byzantine,
	Bound:   "at most one view change for each bad primary; proof is kept",
	Summary: "sends every replica a different pre-prepare, prepare or commit for one place in the order",
	Parameters: []Parameter{
		{"phase", "pre-prepare", "what it lies about: pre-prepare (as primary), prepare or commit"},
		{"from_seq", "1", "the first sequence number it lies about; below it is honest"},
	},
	build: newEquivocator,
}

// equivocator turns a broadcast of its phase into one signed statement a destination, no two alike. It is honest in a
// view in which it does not speak in that phase.
type equivocator struct {
	honest
	seat
	phase pbft.Type
	from  pbft.Seq
}

func newEquivocator(v values, at seat) (Core, error) {
	phase, _ := pbft.ParseType(v["phase"])
	switch phase {
	case pbft.TypePrePrepare, pbft.TypePrepare, pbft.TypeCommit:
	default:
		return nil, fmt.Errorf("phase: %q is none of pre-prepare, prepare and commit", v["phase"])
	}
	from, err := v.seq("from_seq")
	if err != nil {
		return nil, err
	}
	e := &equivocator{seat: at, phase: phase, from: from}
	return at.speaks(e), nil
}

// twists reports whether a message is a statement of our own that is to differ from one destination to the next.
func (e *equivocator) twists(m pbft.Message) bool {
	return pbft.TypeOf(m) == e.phase && e.mine(m) && seqOf(m) >= e.from
}

// tell sends a destination its variant: always the same one, also when the core repeats itself, for a liar who
// contradicts himself towards one listener is found out at once. A statement without its body, which would confess what
// the others were told, is kept back.
func (e *equivocator) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	lie := variant(m, to)
	if lie == nil {
		return nil
	}
	return []pbft.Effect{pbft.Send{To: to, Msg: e.signed(lie)}}
}

// variant is a statement about the same place in the order with another digest: for a pre-prepare the same requests at
// another agreed time, so that the body is as good as the honest one; for a vote a digest of nothing.
func variant(m pbft.Message, to pbft.ReplicaID) pbft.Message {
	p, proposes := m.(*pbft.PrePrepare)
	if !proposes {
		return withDigest(m, func(d pbft.Digest) pbft.Digest { return shifted(d, to) })
	}
	if p.Body == nil {
		return nil
	}
	body := &pbft.Body{Time: p.Body.Time + 1 + int64(to), Requests: p.Body.Requests}
	return &pbft.PrePrepare{View: p.View, Seq: p.Seq, Digest: body.Digest(), Body: body}
}

// shifted is another digest for every replica.
func shifted(d pbft.Digest, to pbft.ReplicaID) pbft.Digest {
	d[0] ^= byte(to >> 8)
	d[1] ^= byte(to)
	d[2] ^= 0xff
	return d
}
