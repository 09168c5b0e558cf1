package byzantine

import (
	"time"

	"tagma/pbft"
)

// slow is a timing fault: what it says is true and comes late.
var slow = Behaviour{
	Name:    "slow",
	Model:   Timing,
	Bound:   "as a backup no view change; a primary that is late by T or more is replaced",
	Summary: "says everything, or some types of message, late by its own clock",
	Parameters: []Parameter{
		{"delay", "0.9T", "how late: a duration, or a multiple of the view timeout T"},
		{"types", all, "message types that are late, such as pre-prepare; reply is what clients get"},
		{"from_seq", "0", "it becomes slow when it first speaks of this sequence number"},
	},
	build: newSlow,
}

// slowBackup is so late that nothing it says is of use any more.
var slowBackup = Behaviour{
	Name:       "slow-backup",
	Model:      Timing,
	Summary:    "says everything 5T late",
	Bound:      "as a backup throughput ≥ 90 % and no view change",
	Parameters: []Parameter{{"delay", "5T", "how late: a duration, or a multiple of the view timeout T"}},
	build: func(v values, at seat) (Core, error) {
		return newSlow(values{"delay": v["delay"], "types": all, "from_seq": "0"}, at)
	},
}

// laggard holds back effects until its clock, which only ticks move, says so. All wait equally long, so what is said
// first is heard first.
type laggard struct {
	honest
	onset
	late  func(pbft.Type) bool
	delay time.Duration
	now   time.Duration
	held  []postponed
}

type postponed struct {
	due    time.Duration
	effect pbft.Effect
}

// mostHeld bounds what it remembers: a replica that forgets some of what it wanted to say is faulty all the same.
const mostHeld = 1 << 16

func newSlow(v values, at seat) (Core, error) {
	l := new(laggard)
	var err error
	if l.delay, err = v.delay("delay", at.cfg); err != nil {
		return nil, err
	}
	if l.late, err = v.types("types"); err != nil {
		return nil, err
	}
	if l.from, err = v.seq("from_seq"); err != nil {
		return nil, err
	}
	return at.speaks(l), nil
}

// before releases what was held long enough.
func (l *laggard) before(ev pbft.Event, _ bool) []pbft.Effect {
	tick, ok := ev.(pbft.Tick)
	if !ok {
		return nil
	}
	l.now = tick.Mono
	var out []pbft.Effect
	for len(l.held) > 0 && l.held[0].due <= l.now {
		out = append(out, l.held[0].effect)
		l.held = l.held[1:]
	}
	return out
}

func (l *laggard) twists(m pbft.Message) bool {
	return l.reached(seqOf(m)) && l.late(pbft.TypeOf(m))
}

func (l *laggard) tell(to pbft.ReplicaID, m pbft.Message) []pbft.Effect {
	return l.hold(pbft.Send{To: to, Msg: m})
}

func (l *laggard) answer(r *pbft.Reply) []pbft.Effect {
	if !l.reached(r.Seq) || !l.late(pbft.TypeReply) {
		return l.honest.answer(r)
	}
	return l.hold(pbft.Respond{Reply: r})
}

func (l *laggard) hold(e pbft.Effect) []pbft.Effect {
	if len(l.held) < mostHeld {
		l.held = append(l.held, postponed{l.now + l.delay, e})
	}
	return nil
}
