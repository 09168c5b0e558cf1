package byzantine

import (
	"slices"

	"tagma/pbft"
)

// viewChangeStorm wants to be alone in a far view, and everybody to come along (V7).
var viewChangeStorm = Behaviour{
	Name:    "view-change-storm",
	Model:   Byzantine,
	Summary: "sends ViewChange(v+1), ViewChange(v+2) and so on, justified by itself alone or by forged suspicions, and suspects them all",
	Bound:   "no view change; throughput ≥ 90 %",
	Parameters: []Parameter{
		{"views", "1000", "how far above the current view it goes, before it begins again"},
		{"rate", "10", "views a tick"},
	},
	build: newStormer,
}

type stormer struct {
	honest
	seat
	views, rate uint64
	view        pbft.View
	step        uint64
}

func newStormer(v values, at seat) (Core, error) {
	s := &stormer{seat: at}
	var err error
	if s.views, err = v.number("views"); err != nil {
		return nil, err
	}
	if s.rate, err = v.number("rate"); err != nil {
		return nil, err
	}
	s.views, s.rate = max(s.views, 1), min(s.rate, 1000)
	return at.speaks(s), nil
}

func (s *stormer) speak(m pbft.Message) []pbft.Message {
	if st, ok := m.(*pbft.Status); ok {
		s.view = st.View
	}
	return s.honest.speak(m)
}

func (s *stormer) before(ev pbft.Event, awake bool) []pbft.Effect {
	if _, ok := ev.(pbft.Tick); !ok || !awake {
		return nil
	}
	var out []pbft.Effect
	for range s.rate {
		s.step = s.step%s.views + 1
		out = append(out, s.burst(s.view+pbft.View(s.step))...)
	}
	return out
}

// burst is a Suspect, which is as valid as any, and a ViewChange that has too few of them, or one more that nobody signed.
func (s *stormer) burst(u pbft.View) []pbft.Effect {
	own := pbft.Suspect{View: u - 1, Replica: s.cfg.Self}
	s.signed(&own)
	m := &pbft.ViewChange{View: u, Replica: s.cfg.Self, Suspects: []pbft.Suspect{own}}
	if u%2 == 0 {
		for _, id := range s.others()[:s.cfg.Weak()-1] {
			forged := own
			forged.Replica = id
			m.Suspects = append(m.Suspects, forged)
		}
		slices.SortFunc(m.Suspects, func(a, b pbft.Suspect) int { return int(a.Replica) - int(b.Replica) })
	}
	return append(s.toOthers(&own), s.toOthers(s.signed(m))...)
}
