package byzantine

import "tagma/pbft"

// receiveOmission goes on speaking without hearing: it suspects everybody, and nobody follows a lone suspicion (V7).
var receiveOmission = Behaviour{
	Name:    "receive-omission",
	Model:   Omission,
	Summary: "hears nothing, or not everything, and still sends: heartbeats, status, suspicions, requests",
	Bound:   "as a backup, without an accomplice, no view change; as primary commits again within 3T",
	Parameters: []Parameter{
		{"types", all, "message types it does not hear, such as pre-prepare+commit"},
		{"peers", all, "whom it does not hear: replicas and clients, such as 1+2+clients"},
		{"probability", "1", "how likely it misses each message, above 0 and up to 1"},
		{"seed", "0", "decides which ones, where that is a matter of chance"},
	},
	build: newDeaf,
}

type deaf struct {
	honest
	luck
	misses func(pbft.Type) bool
	who    *destinations
}

func newDeaf(v values, at seat) (Core, error) {
	d := new(deaf)
	var err error
	if d.misses, err = v.types("types"); err != nil {
		return nil, err
	}
	if d.who, err = v.destinations("peers", at.cfg); err != nil {
		return nil, err
	}
	if d.luck, err = v.luck(0); err != nil {
		return nil, err
	}
	return at.speaks(d), nil
}

func (d *deaf) hear(ev pbft.Event, awake bool) []pbft.Event {
	if r, ok := ev.(pbft.Received); ok && awake && d.missed(r) {
		return nil
	}
	return []pbft.Event{ev}
}

func (d *deaf) missed(r pbft.Received) bool {
	from := d.who.replica(r.From.Replica)
	if r.From.Client {
		from = d.who.client()
	}
	return !r.From.Loopback && from && d.misses(pbft.TypeOf(r.Msg.Message())) && d.strikes()
}
