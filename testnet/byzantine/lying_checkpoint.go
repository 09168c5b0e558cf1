package byzantine

import "tagma/pbft"

// lyingCheckpoint tries to make something stable that is not, or to move the window (§4.3, K1).
var lyingCheckpoint = Behaviour{
	Name:    "lying-checkpoint",
	Model:   Byzantine,
	Summary: "signs checkpoints with a wrong digest, with two digests, or in the far future",
	Bound:   "the stable checkpoint is unaffected; two digests are proof for whoever sees both before it is stable",
	Parameters: []Parameter{
		{"how", "wrong", "wrong: another digest; two: the true one and another one, to everybody; far: a thousand windows ahead too"},
	},
	build: newStateLiar,
}

type stateLiar struct {
	honest
	seat
	how string
}

func newStateLiar(v values, at seat) (Core, error) {
	l := &stateLiar{seat: at}
	var err error
	if l.how, err = v.oneOf("how", "wrong", "two", "far"); err != nil {
		return nil, err
	}
	return at.speaks(l), nil
}

func (l *stateLiar) twists(m pbft.Message) bool {
	return pbft.TypeOf(m) == pbft.TypeCheckpoint && l.mine(m)
}

func (l *stateLiar) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	lie := withDigest(m, func(d pbft.Digest) pbft.Digest { return shifted(d, 0) })
	if l.how == "far" {
		far := m.(*pbft.Checkpoint)
		lie = &pbft.Checkpoint{Seq: far.Seq + 1000*l.cfg.LogWindow, Digest: shifted(far.Digest, 0), Replica: l.cfg.Self}
	}
	l.signed(lie)
	if l.how == "wrong" {
		return []pbft.Effect{pbft.Send{To: to, Msg: lie}}
	}
	return []pbft.Effect{pbft.Send{To: to, Msg: lie}, pbft.Send{To: to, Msg: m}}
}
