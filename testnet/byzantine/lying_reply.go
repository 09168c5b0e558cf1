package byzantine

import "tagma/pbft"

// lyingReply lies to clients alone (C4).
var lyingReply = Behaviour{
	Name:    "lying-reply",
	Model:   Byzantine,
	Summary: "answers clients with a wrong result, for another request, or with a wrong view",
	Bound:   "clients are not deceived, and no slower",
	Parameters: []Parameter{
		{"how", "result", "result: another one; t: the reply names the next request; view: the primary is somebody else"},
	},
	build: newReplyLiar,
}

type replyLiar struct {
	corrupter
	how string
}

func newReplyLiar(v values, at seat) (Core, error) {
	l := &replyLiar{corrupter: corrupter{seat: at, what: "reply"}}
	var err error
	if l.how, err = v.oneOf("how", "result", "t", "view"); err != nil {
		return nil, err
	}
	return at.speaks(l), nil
}

func (l *replyLiar) answer(r *pbft.Reply) []pbft.Effect {
	lie := *r
	switch l.how {
	case "t":
		lie.ID.T++
	case "view":
		lie.View += 1 << 20
	default:
		return l.corrupter.answer(r)
	}
	return l.honest.answer(&lie)
}
