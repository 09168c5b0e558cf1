package byzantine

import "tagma/pbft"

// sendOmission hears everything and keeps back some of what it should say.
var sendOmission = Behaviour{
	Name:    "send-omission",
	Model:   Omission,
	Summary: "hears everything and keeps back what it should send: all of it, or by type, destination and chance",
	Bound:   "as a backup throughput ≥ 70 % and no view change; as primary commits again within 3T",
	Parameters: []Parameter{
		{"types", all, "message types it keeps back, such as prepare+commit; reply is what clients get"},
		{"to", all, "whom it tells nothing: replicas and clients, such as 1+2+clients"},
		{"probability", "1", "how likely it keeps each message back, above 0 and up to 1"},
		{"seed", "0", "decides which ones, where that is a matter of chance"},
		{"from_seq", "0", "it falls silent when it first speaks of this sequence number"},
	},
	build: newMute,
}

// silent is the same in one word.
var silent = Behaviour{
	Name:       "silent",
	Model:      Omission,
	Summary:    "another name for send-omission",
	Bound:      sendOmission.Bound,
	Parameters: sendOmission.Parameters,
	build:      newMute,
}

type mute struct {
	honest
	onset
	luck
	keeps func(pbft.Type) bool
	to    *destinations
}

func newMute(v values, at seat) (Core, error) {
	m := new(mute)
	var err error
	if m.keeps, err = v.types("types"); err != nil {
		return nil, err
	}
	if m.to, err = v.destinations("to", at.cfg); err != nil {
		return nil, err
	}
	if m.luck, err = v.luck(0); err != nil {
		return nil, err
	}
	if m.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(m), nil
}

func (m *mute) twists(msg pbft.Message) bool {
	return m.reached(seqOf(msg)) && m.keeps(pbft.TypeOf(msg))
}

func (m *mute) tell(to pbft.ReplicaID, msg pbft.Message) []pbft.Effect {
	if m.to.replica(to) && m.strikes() {
		return nil
	}
	return m.honest.tell(to, msg)
}

func (m *mute) answer(r *pbft.Reply) []pbft.Effect {
	if m.reached(r.Seq) && m.keeps(pbft.TypeReply) && m.to.client() && m.strikes() {
		return nil
	}
	return m.honest.answer(r)
}
