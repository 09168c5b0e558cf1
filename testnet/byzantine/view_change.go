package byzantine

import "tagma/pbft"

// lyingViewChange tries to make a new view forget what may have committed (§4.4, V1, V3).
var lyingViewChange = Behaviour{
	Name:    "lying-view-change",
	Model:   Byzantine,
	Summary: "sends every replica another ViewChange: with some, all or none of its prepared certificates, and a stale checkpoint",
	Bound:   "at most f extra views; nothing that committed is forgotten",
	Parameters: []Parameter{
		{"how", "mixed", "mixed: another P and C for each destination; empty: no P for anybody; stale: the initial state as C, and no P"},
		{"provoke", "no", "yes: as primary it proposes nothing, so that there is a view change to lie in"},
	},
	build: newChangeLiar,
}

type changeLiar struct {
	honest
	seat
	how     string
	provoke bool
}

func newChangeLiar(v values, at seat) (Core, error) {
	l := &changeLiar{seat: at}
	var err error
	if l.how, err = v.oneOf("how", "mixed", "empty", "stale"); err != nil {
		return nil, err
	}
	provoke, err := v.oneOf("provoke", "no", "yes")
	if err != nil {
		return nil, err
	}
	l.provoke = provoke == "yes"
	return at.speaks(l), nil
}

func (l *changeLiar) twists(m pbft.Message) bool {
	switch pbft.TypeOf(m) {
	case pbft.TypeViewChange:
		return l.mine(m)
	case pbft.TypePrePrepare:
		return l.provoke && l.mine(m)
	default:
		return false
	}
}

func (l *changeLiar) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	vc, ok := m.(*pbft.ViewChange)
	if !ok {
		return nil // a proposal
	}
	lie := &pbft.ViewChange{View: vc.View, Replica: vc.Replica, Suspects: vc.Suspects, Stable: vc.Stable}
	switch how := l.how; {
	case how == "stale" || how == "mixed" && to%3 == 2:
		lie.Stable = pbft.StableCert{}
	case how == "mixed" && to%3 == 1: // every other certificate
		for i := 0; i < len(vc.Prepared); i += 2 {
			lie.Prepared = append(lie.Prepared, vc.Prepared[i])
		}
	default:
	}
	return []pbft.Effect{pbft.Send{To: to, Msg: l.signed(lie)}}
}
