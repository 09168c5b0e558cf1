package byzantine

import "tagma/pbft"

// crash is fail-stop while the process lives: what a killed replica looks like to the others, without its disk.
var crash = Behaviour{
	Name:    "crash",
	Model:   Crash,
	Summary: "hears nothing and says nothing: dead for everybody else, and back with its memory when its time is over",
	Bound:   "as primary commits again within 3T; as a backup no view change",
	Parameters: []Parameter{
		{"from_seq", "0", "it dies when it first speaks of this sequence number"},
	},
	build: newCorpse,
}

type corpse struct {
	honest
	onset
}

func newCorpse(v values, at seat) (Core, error) {
	c := new(corpse)
	var err error
	if c.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	c.begun = c.from == 0
	return at.speaks(c), nil
}

// hear leaves the core its clock and what its own machine has finished: these are no messages.
func (c *corpse) hear(ev pbft.Event, awake bool) []pbft.Event {
	if r, ok := ev.(pbft.Received); ok && awake && c.begun && !r.From.Loopback {
		return nil
	}
	return []pbft.Event{ev}
}

func (c *corpse) twists(m pbft.Message) bool                      { return c.reached(seqOf(m)) }
func (c *corpse) tell(pbft.ReplicaID, pbft.Message) []pbft.Effect { return nil }

func (c *corpse) answer(r *pbft.Reply) []pbft.Effect {
	if c.begun {
		return nil
	}
	return c.honest.answer(r)
}
