package byzantine

import (
	"fmt"
	"strconv"

	"tagma/pbft"
)

// equivocate tells every replica something else under one signature key, so that nobody can prepare (§4.2, E1).
var equivocate = Behaviour{
	Name:    "equivocate",
	Summary: "sends every replica a different pre-prepare, prepare or commit for one place in the order",
	Parameters: []Parameter{
		{"phase", "pre-prepare", "what it lies about: pre-prepare (as primary), prepare or commit"},
		{"from_seq", "1", "the first sequence number it lies about; below it is honest"},
	},
	build: newEquivocator,
}

// equivocator turns a broadcast of its phase into one signed statement a destination, no two alike. Its own core holds
// on to what it wanted to say: it goes on like a replica that was honest, and is one again in a view that it does not
// lead.
type equivocator struct {
	cfg   *pbft.Config
	core  Core
	sign  Sign
	phase pbft.Type
	from  pbft.Seq
}

func newEquivocator(v values, cfg *pbft.Config, core Core, sign Sign) (Core, error) {
	phase, _ := pbft.ParseType(v["phase"])
	switch phase {
	case pbft.TypePrePrepare, pbft.TypePrepare, pbft.TypeCommit:
	default:
		return nil, fmt.Errorf("phase: %q is none of pre-prepare, prepare and commit", v["phase"])
	}
	from, err := strconv.ParseUint(v["from_seq"], 10, 63)
	if err != nil {
		return nil, fmt.Errorf("from_seq: %q is not a sequence number", v["from_seq"])
	}
	return &equivocator{cfg: cfg, core: core, sign: sign, phase: phase, from: pbft.Seq(from)}, nil
}

// Anchor is the honest core's: the lies are in no journal.
func (e *equivocator) Anchor() []pbft.Record { return e.core.Anchor() }

// Step is the honest core's, with the lies in the place of what it would have said.
func (e *equivocator) Step(ev pbft.Event) []pbft.Effect {
	var out []pbft.Effect
	todo := []pbft.Event{ev}
	for len(todo) > 0 {
		ev, todo = todo[0], todo[1:]
		for _, effect := range e.core.Step(ev) {
			if b, ok := effect.(pbft.Broadcast); ok && e.liesAbout(b.Msg) {
				pbft.Sign(e.cfg, b.Msg, e.sign)
				todo = append(todo, e.loopback(b.Msg))
				out = append(out, e.spread(b.Msg)...)
				continue
			}
			if s, ok := effect.(pbft.Send); ok && e.liesAbout(s.Msg) {
				out = append(out, e.tell(s.To, s.Msg)...)
				continue
			}
			out = append(out, effect)
		}
	}
	return out
}

// loopback is what a driver would do with an honest broadcast, so that the core is not surprised.
func (e *equivocator) loopback(m pbft.Message) pbft.Event {
	return pbft.Received{From: pbft.Source{Replica: e.cfg.Self, Loopback: true}, Msg: pbft.Own(m)}
}

// liesAbout reports whether a message is a statement of our own that is to differ from one destination to the next.
func (e *equivocator) liesAbout(m pbft.Message) bool {
	if pbft.TypeOf(m) != e.phase {
		return false
	}
	by, _ := pbft.Sender(e.cfg, m)
	return by == e.cfg.Self && seqOf(m) >= e.from
}

// spread tells every other replica its own variant.
func (e *equivocator) spread(m pbft.Message) []pbft.Effect {
	var out []pbft.Effect
	for i := range e.cfg.Members {
		if to := pbft.ReplicaID(i); to != e.cfg.Self {
			out = append(out, e.tell(to, m)...)
		}
	}
	return out
}

// tell sends a destination its variant: always the same one, also when the core repeats itself, for a liar who
// contradicts himself towards one listener is found out at once. A statement without its body, which would confess what
// the others were told, is kept back.
func (e *equivocator) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	lie := variant(m, to)
	if lie == nil {
		return nil
	}
	pbft.Sign(e.cfg, lie, e.sign)
	return []pbft.Effect{pbft.Send{To: to, Msg: lie}}
}

// variant is a statement about the same place in the order with another digest: for a pre-prepare the same requests at
// another agreed time, so that the body is as good as the honest one; for a vote a digest of nothing.
func variant(m pbft.Message, to pbft.ReplicaID) pbft.Message {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		if m.Body == nil {
			return nil
		}
		body := &pbft.Body{Time: m.Body.Time + 1 + int64(to), Requests: m.Body.Requests}
		return &pbft.PrePrepare{View: m.View, Seq: m.Seq, Digest: body.Digest(), Body: body}
	case *pbft.Prepare:
		return &pbft.Prepare{View: m.View, Seq: m.Seq, Digest: shifted(m.Digest, to), Replica: m.Replica}
	case *pbft.Commit:
		return &pbft.Commit{View: m.View, Seq: m.Seq, Digest: shifted(m.Digest, to), Replica: m.Replica}
	default:
		return nil
	}
}

// shifted is another digest for every replica.
func shifted(d pbft.Digest, to pbft.ReplicaID) pbft.Digest {
	d[0] ^= byte(to >> 8)
	d[1] ^= byte(to)
	d[2] ^= 0xff
	return d
}

// seqOf is the sequence number of a pre-prepare or vote.
func seqOf(m pbft.Message) pbft.Seq {
	switch m := m.(type) {
	case *pbft.PrePrepare:
		return m.Seq
	case *pbft.Prepare:
		return m.Seq
	case *pbft.Commit:
		return m.Seq
	default:
		return 0
	}
}
