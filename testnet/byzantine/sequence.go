package byzantine

import (
	"math"

	"tagma/pbft"
)

// sequenceAbuse is a primary that numbers badly (§4.2, §4.4; N1, N4).
var sequenceAbuse = Behaviour{
	Name:    "sequence-abuse",
	Model:   Byzantine,
	Summary: "as primary leaves gaps, proposes at the edge of the window or beyond it, orders one request twice, or invents one",
	Bound:   "gaps are filled with nulls after one view change; a request runs once, an invented one never",
	Parameters: []Parameter{
		{
			"how", "gap", "gap: leaves one number out in each view; high: jumps to H, and stays there; above: H+1; max: 2^64-1; " +
				"twice: each batch begins with the last one's first request; invented: with one that its client never signed",
		},
		{"from_seq", "1", "it begins when it first proposes this sequence number"},
	},
	build: newAbuser,
}

type abuser struct {
	honest
	seat
	onset
	how    string
	low    pbft.Seq // h, as its core last said
	jumped bool     // in the view
	view   pbft.View
	last   *pbft.Request
}

func newAbuser(v values, at seat) (Core, error) {
	a := &abuser{seat: at}
	var err error
	if a.how, err = v.oneOf("how", "gap", "high", "above", "max", "twice", "invented"); err != nil {
		return nil, err
	}
	if a.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(a), nil
}

// proposes reports whether a message is a first proposal of its own, after its onset.
func (a *abuser) proposes(m pbft.Message) (*pbft.PrePrepare, bool) {
	p, ok := m.(*pbft.PrePrepare)
	return p, ok && p.Body != nil && a.mine(p) && a.reached(p.Seq)
}

// speak misnumbers what the core is to believe too: it must not contradict it later.
func (a *abuser) speak(m pbft.Message) []pbft.Message {
	if s, ok := m.(*pbft.Status); ok {
		a.low = s.Stable
	}
	p, ok := a.proposes(m)
	if !ok {
		return a.honest.speak(m)
	}
	if p.View != a.view {
		a.view, a.jumped = p.View, false
	}
	switch a.how {
	case "gap":
		return a.at(p, p.Seq+1)
	case "high":
		if a.jumped {
			return nil
		}
		a.jumped = true
		return a.at(p, a.low+a.cfg.LogWindow)
	case "twice":
		return []pbft.Message{a.twice(p)}
	default: // a lie to others alone
	}
	return a.honest.speak(m)
}

// at is a proposal at another place, nothing if that is above H.
func (a *abuser) at(p *pbft.PrePrepare, seq pbft.Seq) []pbft.Message {
	if seq > a.low+a.cfg.LogWindow {
		return nil
	}
	return []pbft.Message{&pbft.PrePrepare{View: p.View, Seq: seq, Digest: p.Digest, Body: p.Body}}
}

func (a *abuser) twice(p *pbft.PrePrepare) *pbft.PrePrepare {
	again := a.last
	a.last = p.Body.Requests[0]
	if again == nil {
		return p
	}
	return withRequests(a.cfg, p, []*pbft.Request{again})
}

// withRequests is a proposal of the same batch behind other requests, as many of them as it may hold.
func withRequests(cfg *pbft.Config, p *pbft.PrePrepare, front []*pbft.Request) *pbft.PrePrepare {
	size := 0
	for _, r := range p.Body.Requests {
		size += r.Size()
	}
	body := &pbft.Body{Time: p.Body.Time}
	for _, r := range front {
		if size += r.Size(); size > cfg.MaxBatchBytes || len(p.Body.Requests)+len(body.Requests) >= cfg.MaxBatch {
			break
		}
		body.Requests = append(body.Requests, r)
	}
	body.Requests = append(body.Requests, p.Body.Requests...)
	return &pbft.PrePrepare{View: p.View, Seq: p.Seq, Digest: body.Digest(), Body: body}
}

func (a *abuser) twists(m pbft.Message) bool {
	_, ok := a.proposes(m)
	return ok && (a.how == "above" || a.how == "max" || a.how == "invented")
}

// invented is a batch that begins with the next request of the client of its first one: the same operations, under a
// signature that is for another number.
func (a *abuser) invented(p *pbft.PrePrepare) *pbft.PrePrepare {
	first := p.Body.Requests[0]
	id := first.ID
	id.T++
	lie := &pbft.Request{ID: id, AckedBelow: first.AckedBelow, ReadOnly: first.ReadOnly, Ops: first.Ops, Sig: first.Sig}
	body := &pbft.Body{Time: p.Body.Time, Requests: append([]*pbft.Request{lie}, p.Body.Requests[1:]...)}
	return &pbft.PrePrepare{View: p.View, Seq: p.Seq, Digest: body.Digest(), Body: body}
}

func (a *abuser) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	p := m.(*pbft.PrePrepare)
	if a.how == "invented" {
		return []pbft.Effect{pbft.Send{To: to, Msg: a.signed(a.invented(p))}}
	}
	lie := &pbft.PrePrepare{View: p.View, Seq: a.low + a.cfg.LogWindow + 1, Digest: p.Digest, Body: p.Body}
	if a.how == "max" {
		lie.Seq = math.MaxUint64
	}
	return []pbft.Effect{pbft.Send{To: to, Msg: a.signed(lie)}}
}
