package scenario

import (
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
	"tagma/pbft/wire"
)

// takeEvent takes one event and what it stands for: its repetitions, and the ends of what it begins.
func (s *Scenario) takeEvent(t *strict.Table) {
	e := Event{Line: t.Line(""), Link: s.Network}
	text := struct {
		*Event
		By    jump          `toml:"by"`
		For   time.Duration `toml:"for"`
		Every time.Duration `toml:"every"`
		Times int           `toml:"times" range:"1..1000"`
	}{Event: &e, Times: 1}
	if !t.Into(&text) || !t.Needs("do", `do = "kill", or one of `+strings.Join(Acts()[1:], ", ")) ||
		!t.Word("do", e.Do, Acts()...) {
		return
	}
	e.By = time.Duration(text.By)
	keys := strings.Fields("do at after_operations " + e.act().keys + " for every times")
	if !t.Only(keys...) {
		return
	}
	if t.Has("at") == t.Has("after_operations") {
		t.Refuse("", "it needs a moment; write either at = \"2s\" or after_operations = 500")
	}
	if e.Do != Heal && slices.Contains(keys, "targets") && len(e.Targets) == 0 {
		t.Refuse("targets", "%s needs some; write targets = [1]", e.Do)
	}
	s.checkAct(t, &e)
	switch lasts := text.For; {
	case t.Has("for") && e.act().ends == "":
		t.Refuse("for", "%s has no end of its own; leave it out", e.Do)
	case t.Has("for") && lasts == 0:
		t.Refuse("for", "\"0s\" lasts no time; write how long, such as \"2s\"")
	case t.Has("every") != t.Has("times"):
		t.Refuse("", "every and times belong together; write for instance every = \"1s\" and times = 5")
	case text.Times > 1 && (text.Every == 0 || lasts >= text.Every && t.Has("for")):
		t.Refuse("every", "%v must be longer than what is repeated, for = %v", text.Every, lasts)
	}
	for i := range text.Times {
		again := e
		again.At += time.Duration(i) * text.Every
		s.Events = append(s.Events, again)
		if text.For > 0 {
			s.Events = append(s.Events, again.end(text.For))
		}
	}
}

// end is the event that undoes this one so much later.
func (e Event) end(after time.Duration) Event {
	e.At += after
	e.Undoes = true
	e.BeforeSend = 0
	e.Groups, e.Ring, e.Heal = nil, false, e.Do == ChangeLink
	e.Do = e.act().ends
	return e
}

// checkAct refuses an act that lacks something.
func (s *Scenario) checkAct(t *strict.Table, e *Event) {
	switch e.Do {
	case Kill:
		if e.BeforeSend != 0 {
			t.Word("before_send", e.BeforeSend.String(), names(durable)...)
		}
	case Partition:
		s.checkGroups(t, e)
	case ChangeLink:
		s.checkLinkChange(t, e)
	case ClockJump:
		if e.By == 0 {
			t.Refuse("by", "the clock goes nowhere; write by = \"1h\" or by = \"-1h\"")
		}
	case Submit:
		t.Needs("operations", `operations = ["c0: put k a"]`)
	case Release:
		t.Needs("name", "the name that a rule's until has")
	}
}

func (s *Scenario) checkGroups(t *strict.Table, e *Event) {
	owner := map[wire.ReplicaID]int{}
	for i, group := range e.Groups {
		for _, m := range group {
			if g, taken := owner[m]; taken {
				t.Refuse("groups", "replica %d is in group %d and in group %d; put it into one", m, g, i)
			}
			owner[m] = i
		}
	}
	everybody := len(e.Groups) == 1 && len(e.Groups[0]) == s.Replicas
	if e.Ring == t.Has("groups") || everybody {
		t.Refuse("", "partition cuts nobody off; write groups = [[0, 1], [2, 3]], or ring = true")
	}
}

func (s *Scenario) checkLinkChange(t *strict.Table, e *Event) {
	switch changed := e.Link != s.Network; {
	case !t.Has("from") || !t.Has("to"):
		t.Refuse("", "link has no two ends; write from = [0] and to = [3], it is for one direction")
	case !e.Heal && !changed:
		t.Refuse("", "link changes nothing; write delay, jitter, loss, duplicate, reorder or bandwidth, or heal = true")
	case e.Heal && changed:
		t.Refuse("heal", "it gives the link the properties of [network]; leave out the other ones")
	}
}
