package scenario

import (
	"slices"
	"strings"
	"time"

	"tagma/internal/strict"
	"tagma/pbft/wire"
)

// check refuses what can be seen not to make sense in a file whose every key is good.
func (s *Scenario) check(d *strict.Document) {
	s.checkAttackers(d)
	s.checkMoments(d)
	s.checkMends(d)
	s.checkReleases(d)
	s.checkExpect(d)
}

// Faulty are the replicas that are not correct at some time: attackers, keys that scripts use, and those that are put back
// to what they were: what they signed since may be known to few (D8.13). A replica that crashes is correct, and so is one
// that loses its data and knows it (D8.1).
func (s *Scenario) Faulty() []wire.ReplicaID {
	var faulty []wire.ReplicaID
	s.faults(func(id wire.ReplicaID, _ int) { faulty = append(faulty, id) })
	slices.Sort(faulty)
	return slices.Compact(faulty)
}

// Lies reports whether a replica is malicious, or a script has its key.
func (s *Scenario) Lies(id wire.ReplicaID) bool {
	return slices.ContainsFunc(s.Malicious, func(m Malicious) bool { return m.Client == nil && m.Replica == id }) ||
		slices.ContainsFunc(s.Scripts, func(l Script) bool { return l.From == id })
}

// RolledBack reports whether a replica is put back to what it was, and never lies.
func (s *Scenario) RolledBack(id wire.ReplicaID) bool {
	return !s.Lies(id) && s.happens(id, func(a act) bool { return a.do == Rollback })
}

// faults names every replica that something makes faulty, and the line that does.
func (s *Scenario) faults(each func(id wire.ReplicaID, line int)) {
	for _, m := range s.Malicious {
		if m.Client == nil {
			each(m.Replica, m.Line)
		}
	}
	for _, r := range s.Scripts {
		each(r.From, r.Line)
	}
	for _, e := range s.Events {
		for _, id := range e.Targets {
			if e.act().lies {
				each(id, e.Line)
			}
		}
	}
}

func (s *Scenario) checkAttackers(d *strict.Document) {
	f, line := (s.Replicas-1)/3, 0
	faulty := s.Faulty()
	if len(faulty) <= f || !*s.Expect.Safe {
		return
	}
	s.faults(func(_ wire.ReplicaID, at int) { line = max(line, at) })
	d.RefuseLine(line, "%d replicas are faulty (%v), and %d mask %d at most; make fewer faulty, or expect safe = false",
		len(faulty), faulty, s.Replicas, f)
}

// checkMoments refuses what comes after the end.
func (s *Scenario) checkMoments(d *strict.Document) {
	w := &s.Workload
	late := func(line int, at time.Duration, what string) {
		if w.Kind != KindNone && w.Duration > 0 && at >= w.Duration {
			d.RefuseLine(line, "%s comes at %v, and the workload ends after %v; make it earlier, or the duration longer", what, at, w.Duration)
		}
	}
	for _, e := range s.Events {
		switch {
		case e.AfterOperations == 0:
			late(e.Line, e.At, e.What())
		case w.Kind == KindNone:
			d.RefuseLine(e.Line, "after_operations counts operations, and the workload has none; write at = a time")
		case w.Operations > 0 && e.AfterOperations > w.Operations:
			d.RefuseLine(e.Line, "after_operations = %d never comes: the workload has %d operations", e.AfterOperations, w.Operations)
		}
	}
	for _, m := range s.Malicious {
		late(m.Line, m.From, m.Choice.Name)
	}
	for _, r := range s.Rules {
		late(r.Line, r.At, "the rule")
	}
}

// mended is what must have been done to a replica before an event mends it, and what is wrong otherwise.
var mended = map[string]struct {
	by    func(act) bool
	wrong string
}{
	Restart:  {func(a act) bool { return a.stops }, "replica %d was not stopped; kill it first"},
	Resume:   {func(a act) bool { return a.do == Pause }, "replica %d was not paused; pause it first"},
	Mount:    {func(a act) bool { return a.do == Unmount }, "the data of replica %d are where they belong; unmount them first"},
	Rollback: {func(a act) bool { return a.do == Keep }, "there is no copy of replica %d; add do = \"keep\" before it"},
}

// checkMends refuses to mend what nothing breaks.
func (s *Scenario) checkMends(d *strict.Document) {
	acts := func(what ...string) bool {
		return slices.ContainsFunc(s.Events, func(e Event) bool { return slices.Contains(what, e.Do) && !e.Undoes })
	}
	for _, e := range s.Events {
		if e.Undoes {
			continue
		}
		for _, id := range e.Targets {
			switch m, mends := mended[e.Do]; {
			case mends && !s.happens(id, m.by):
				d.RefuseLine(e.Line, "%s: "+m.wrong, e.Do, id)
			case e.Do == Start && !slices.Contains(s.Absent, id):
				d.RefuseLine(e.Line, "start: replica %d is there from the beginning; name it in absent = [%d], or write restart", id, id)
			}
		}
		switch {
		case e.Do == Heal && !acts(Partition, Isolate, ChangeLink):
			d.RefuseLine(e.Line, "heal: nothing is cut off; leave it out, or add a partition, isolate or link")
		case e.Do == ChangeLink && e.Heal && !acts(ChangeLink):
			d.RefuseLine(e.Line, "link: heal = true without a link that was changed; leave it out")
		case e.Do == StartClients && !acts(StopClients):
			d.RefuseLine(e.Line, "start-clients: they were not stopped; add stop-clients before it")
		}
	}
}

// checkReleases matches releases with the rules that wait for them.
func (s *Scenario) checkReleases(d *strict.Document) {
	var waited, released []string
	for _, r := range s.Rules {
		if r.UntilRelease != "" {
			waited = append(waited, r.UntilRelease)
		}
	}
	for _, e := range s.Events {
		if e.Do != Release {
			continue
		}
		if slices.Contains(released, e.Name) {
			d.RefuseLine(e.Line, "release %q is there twice; the first one ends its rules, so leave this one out", e.Name)
		}
		released = append(released, e.Name)
		if !slices.Contains(waited, e.Name) {
			d.RefuseLine(e.Line, "release %q: no rule waits for it;%s write until = %q into a rule", e.Name, strict.Meant(e.Name, waited), e.Name)
		}
	}
	for _, r := range s.Rules {
		if r.UntilRelease != "" && !slices.Contains(released, r.UntilRelease) {
			d.RefuseLine(r.Line, "until = %q: no event releases it;%s write do = \"release\" with that name, or until = \"never\"",
				r.UntilRelease, strict.Meant(r.UntilRelease, released))
		}
	}
}

func (s *Scenario) checkExpect(d *strict.Document) {
	e, in := &s.Expect, d.Below("expect")
	w := &s.Workload
	submitted := 0
	for _, event := range s.Events {
		submitted += len(event.Submit)
	}
	switch {
	case e.Acknowledged != nil && w.Operations > 0 && *e.Acknowledged > w.Operations+submitted:
		in.Refuse("acknowledged", "%d, and the workload has %d operations", *e.Acknowledged, w.Operations+submitted)
	case e.Acknowledged != nil && *e.Acknowledged > 0 && w.Kind == KindNone && *e.Acknowledged > submitted:
		in.Refuse("acknowledged", "%d, and %d operations are submitted", *e.Acknowledged, submitted)
	case e.CommitsWithin != nil && !s.HasFaults():
		in.Refuse("commits_within", "it counts from the last fault's end, and there is no fault; leave it out")
	case e.CommitsWithin != nil && *e.CommitsWithin == 0:
		in.Refuse("commits_within", "0: nothing commits at once; write for instance \"3T\"")
	}
	if e.MaxLatency != nil && *e.MaxLatency == 0 {
		in.Refuse("max_latency", "0: no operation takes no time; write for instance \"3T\"")
	}
	if e.Halts() && (e.CommitsWithin != nil || e.AcknowledgedAll) {
		in.Refuse("serves", "false: nothing is acknowledged in the end, so commits_within and acknowledged = \"all\" cannot hold")
	}
	faulty := s.Faulty()
	for _, id := range e.Evidence {
		if !slices.Contains(faulty, id) {
			in.Refuse("evidence", "replica %d is not malicious, so nobody can convict it", id)
		}
	}
	for _, id := range e.Stopped {
		if !s.happens(id, func(a act) bool { return a.breaks }) {
			in.Refuse("stopped", "nothing damages the disk of replica %d; add for instance do = \"disk-full\"", id)
		}
	}
}

// happens reports whether an act of some kind happens to a replica.
func (s *Scenario) happens(id wire.ReplicaID, kind func(act) bool) bool {
	return slices.ContainsFunc(s.Events, func(e Event) bool { return kind(e.act()) && slices.Contains(e.Targets, id) })
}

// HasFaults reports whether anything goes wrong besides what the network is like all the time.
func (s *Scenario) HasFaults() bool {
	return len(s.Malicious)+len(s.Rules)+len(s.Scripts) > 0 || slices.ContainsFunc(s.Events, func(e Event) bool { return e.Fault() })
}

// String is the scenario's name and file.
func (s *Scenario) String() string { return strings.TrimSpace(s.Name + " (" + s.File + ")") }
