package scenario

import (
	"strings"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// readEvent takes one event and what it stands for: its repetitions, and the ends of what it begins.
func (s *Scenario) readEvent(t *table) {
	e := Event{Line: t.at(), Do: t.oneOf("do", "", acts...)}
	if e.Do == "" {
		if !t.has("do") {
			t.refuse(t.at(), "the event does nothing; write do = %q, or one of %s", Kill, strings.Join(acts[1:], ", "))
		}
		return
	}
	e.At = t.since("at", 0)
	e.AfterOperations = t.count("after_operations", 0, 1, maxOperations)
	if t.has("at") == t.has("after_operations") {
		t.refuse(t.at(), "the event needs a moment; write either at = \"2s\" or after_operations = 500")
	}
	s.readAct(t, &e)
	lasts, every, times := t.since("for", 0), t.since("every", 0), t.count("times", 1, 1, maxRepeats)
	t.done()
	switch {
	case t.has("for") && opposite[e.Do] == "":
		t.refuse(t.line("for"), "for: %s has no end of its own; leave it out", e.Do)
	case t.has("for") && lasts == 0:
		t.refuse(t.line("for"), "for = \"0s\" lasts no time; write how long, such as \"2s\"")
	case t.has("every") != t.has("times"):
		t.refuse(t.at(), "every and times belong together; write for instance every = \"1s\" and times = 5")
	case times > 1 && (every == 0 || lasts >= every && t.has("for")):
		t.refuse(t.line("every"), "every = %v must be longer than what is repeated, for = %v", every, lasts)
	}
	for i := range times {
		again := e
		again.At += time.Duration(i) * every
		s.Events = append(s.Events, again)
		if lasts > 0 {
			s.Events = append(s.Events, again.end(lasts))
		}
	}
}

// end is the event that undoes this one so much later.
func (e Event) end(after time.Duration) Event {
	e.At += after
	e.Undoes = true
	e.BeforeSend = 0
	e.Groups, e.Ring, e.Heal = nil, false, e.Do == ChangeLink
	e.Do = opposite[e.Do]
	return e
}

// readAct takes what belongs to what an event does.
func (s *Scenario) readAct(t *table, e *Event) {
	needsTargets := true
	switch e.Do {
	case Kill:
		if word := t.oneOf("before_send", "", sentTypes()...); word != "" {
			e.BeforeSend, _ = wire.ParseType(word)
		}
	case LoseUnsynced:
		e.Hole = t.yes("hole")
	case Partition:
		needsTargets = false
		s.readGroups(t, e)
	case Isolate:
		e.Direction = links.Direction(t.oneOf("direction", "", string(links.In), string(links.Out)))
	case ChangeLink:
		needsTargets = false
		s.readLinkChange(t, e)
	case ClockJump:
		if e.By = t.time("by", 0); e.By == 0 {
			t.refuse(t.line("by"), "clock-jump goes nowhere; write by = \"1h\" or by = \"-1h\"")
		}
	case Submit:
		needsTargets = false
		e.Submit = s.operations(t, "operations")
		if !t.has("operations") {
			t.refuse(t.at(), "submit has no operations; write operations = [\"c0: put k a\"]")
		}
	case StopClients, StartClients:
		needsTargets = false
	case Heal:
		e.Targets, _ = t.replicas("targets", s.Replicas)
		return
	case Release:
		needsTargets = false
		if e.Name = t.text("name"); e.Name == "" {
			t.refuse(t.at(), "release has no name; write the name that a rule's until has")
		}
	}
	if !needsTargets {
		return
	}
	before := len(t.wrong)
	if e.Targets, _ = t.replicas("targets", s.Replicas); len(e.Targets) == 0 && before == len(t.wrong) {
		t.refuse(t.line("targets"), "%s has no targets; write targets = [1]", e.Do)
	}
}

func (s *Scenario) readGroups(t *table, e *Event) {
	owner := map[wire.ReplicaID]int{}
	t.list("groups", "a list of lists of replica numbers, such as [[0, 1], [2, 3]]", func(v any) bool {
		members, ok := v.([]any)
		var group []wire.ReplicaID
		for _, m := range members {
			id, whole := m.(int64)
			if !whole {
				return false
			}
			group = t.member("groups", id, s.Replicas, group)
		}
		for _, m := range group {
			if g, taken := owner[m]; taken {
				t.refuse(t.line("groups"), "groups: replica %d is in group %d and in group %d; put it into one", m, g, len(e.Groups))
			}
			owner[m] = len(e.Groups)
		}
		e.Groups = append(e.Groups, group)
		return ok
	})
	e.Ring = t.yes("ring")
	everybody := len(e.Groups) == 1 && len(e.Groups[0]) == s.Replicas
	if e.Ring == t.has("groups") || everybody {
		t.refuse(t.at(), "partition cuts nobody off; write groups = [[0, 1], [2, 3]], or ring = true")
	}
}

func (s *Scenario) readLinkChange(t *table, e *Event) {
	e.From, _ = t.replicas("from", s.Replicas)
	e.To, _ = t.replicas("to", s.Replicas)
	if !t.has("from") || !t.has("to") {
		t.refuse(t.at(), "link has no two ends; write from = [0] and to = [3], it is for one direction")
	}
	e.Heal = t.yes("heal")
	before := len(t.wrong)
	e.Link = t.link(s.Network)
	if before == len(t.wrong) && !e.Heal && e.Link == s.Network {
		t.refuse(t.at(), "link changes nothing; write delay, jitter, loss, duplicate, reorder or bandwidth, or heal = true")
	}
	if e.Heal && e.Link != s.Network {
		t.refuse(t.line("heal"), "heal = true gives the link the properties of [network]; leave out the other ones")
	}
}

// operations reads a list of operations.
func (s *Scenario) operations(t *table, key string) (out []Operation) {
	texts, _ := t.texts(key, `a list of operations, such as ["c0: put k a"]`)
	for _, text := range texts {
		o, err := parseOperation(text, s.Machine)
		switch {
		case err != nil:
			t.refuse(t.line(key), "%s: %v", key, err)
		case o.Client >= s.Workload.Clients:
			t.refuse(t.line(key), "%s: there is no client c%d; there are c0 to c%d", key, o.Client, s.Workload.Clients-1)
		default:
			out = append(out, o)
		}
	}
	return out
}

// sentTypes are the types of message that a replica makes durable before it sends them.
func sentTypes() []string {
	return []string{"pre-prepare", "prepare", "commit", "checkpoint", "view-change", "new-view"}
}
