package scenario

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"tagma/internal/strict"
	"tagma/pbft/wire"
)

// check refuses contradictions between parts of a file that are valid when read alone. The table is the whole file, or that
// of the cluster.
func (s *Scenario) check(d *strict.Document, t *strict.Table) {
	s.checkAttackers(d)
	s.checkMoments(d)
	s.checkMends(d)
	s.checkReleases(d)
	s.checkExpect(t)
}

// Faulty lists the replicas that are not correct at some time. These are attackers, replicas whose keys scripts use, and
// replicas that get an older copy of their disks back: perhaps only few others hold what such a replica signed after the
// copy was made (D8.13). A replica that crashes is correct, and so is one that loses its data and knows that (D8.1).
func (s *Scenario) Faulty() []wire.ReplicaID {
	var faulty []wire.ReplicaID
	s.faults(func(id wire.ReplicaID, _ int) { faulty = append(faulty, id) })
	slices.Sort(faulty)
	return slices.Compact(faulty)
}

// Lies reports whether a replica is malicious, or a script signs with its key.
func (s *Scenario) Lies(id wire.ReplicaID) bool {
	return slices.ContainsFunc(s.Malicious, func(m Malicious) bool { return m.Client == nil && m.Replica == id }) ||
		slices.ContainsFunc(s.Scripts, func(l Script) bool { return l.From == id })
}

// Turns returns when a replica begins to lie. Known is false if it never lies, or if the time depends on a fact. Until
// it lies, the replica is judged as a correct one.
func (s *Scenario) Turns(id wire.ReplicaID) (at time.Duration, known bool) {
	sooner := func(from time.Duration) {
		if !known || from < at {
			at, known = from, true
		}
	}
	for _, m := range s.Malicious {
		if m.Client == nil && m.Replica == id {
			sooner(m.From)
		}
	}
	for _, l := range s.Scripts {
		if l.From == id && l.When == nil {
			sooner(l.At)
		}
	}
	if known && s.happens(id, func(a act) bool { return a.lies }) {
		at = 0 // an event makes it faulty as well, so it counts as faulty from the beginning
	}
	return at, known
}

// RolledBack reports whether a replica gets an older copy of its disks back, and never lies.
func (s *Scenario) RolledBack(id wire.ReplicaID) bool {
	return !s.Lies(id) && s.happens(id, func(a act) bool { return a.do == Rollback })
}

// faults calls back for every replica that some line of the file makes faulty, with that line.
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
	f, line := s.Settings.FaultModel.Liars(s.Replicas), 0
	faulty := s.Faulty()
	if len(faulty) <= f || !*s.Expect.Safe || s.Expect.Splits() {
		return
	}
	s.faults(func(_ wire.ReplicaID, at int) { line = max(line, at) })
	d.RefuseLine(line, "%d replicas are faulty (%v), and %d mask %d at most; make fewer faulty, or expect safe = false or split = true",
		len(faulty), faulty, s.Replicas, f)
}

// checkMoments refuses events after the end of the run.
func (s *Scenario) checkMoments(d *strict.Document) {
	w := &s.Workload
	late := func(line int, at time.Duration, what string) {
		if w.Kind != KindNone && w.Duration > 0 && at >= w.Duration {
			d.RefuseLine(line, "%s comes at %v, and the workload ends after %v; make it earlier, or the duration longer", what, at, w.Duration)
		}
	}
	for _, e := range s.Events {
		switch {
		case e.When != nil:
		case e.AfterOperations == 0:
			late(e.Line, e.At, e.What())
		case s.Cluster != "": // operations of transactions over several clusters count, too
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
	for _, r := range s.Requests {
		late(r.Line, r.At, "the request")
	}
}

// checkMends refuses an event that repairs something which no earlier event broke.
func (s *Scenario) checkMends(d *strict.Document) {
	for _, e := range s.Events {
		a := e.act()
		switch undone := func(o Event) bool { return a.undoes(o.act()) }; {
		case e.Undoes:
			continue
		case a.toAny && !slices.ContainsFunc(s.Events, undone):
			d.RefuseLine(e.Line, "%s: %s", e.Do, a.without)
		}
		for _, id := range e.Targets {
			switch {
			case a.undoes != nil && !a.toAny && !s.happens(id, a.undoes):
				d.RefuseLine(e.Line, "%s: "+a.without, e.Do, id)
			case e.Do == Start && !slices.Contains(s.Absent, id):
				d.RefuseLine(e.Line, "start: replica %d is there from the beginning; name it in absent = [%d], or write restart", id, id)
			}
		}
	}
}

// checkReleases matches releases with the rules that wait for them.
func (s *Scenario) checkReleases(d *strict.Document) {
	var waited, released []string
	for _, r := range s.Rules {
		if r.Name != "" {
			waited = append(waited, r.Name)
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
		if r.Name != "" && !slices.Contains(released, r.Name) {
			d.RefuseLine(r.Line, "until = %q: no event releases it;%s write do = \"release\" with that name, or until = \"never\"",
				r.Name, strict.Meant(r.Name, released))
		}
	}
}

func (s *Scenario) checkExpect(d *strict.Table) {
	e, in := &s.Expect, d.Below("expect")
	w := &s.Workload
	slices.Sort(e.Evidence)
	slices.Sort(e.Stopped)
	if e.MinThroughputRatio != nil && !w.Baseline {
		in.Refuse("min_throughput_ratio", "it compares with a fault-free run; write baseline = true into [workload]")
	}
	if in.Has("ratio_after") && e.MinThroughputRatio == nil {
		in.Refuse("ratio_after", "it belongs to min_throughput_ratio; write that too, or leave it out")
	}
	wanted, submitted := 0, 0
	if e.Acknowledged != nil {
		wanted = int(*e.Acknowledged)
	}
	for _, event := range s.Events {
		submitted += len(event.Submit)
	}
	switch {
	case wanted > w.Operations+submitted && w.Operations > 0:
		in.Refuse("acknowledged", "%d, and the workload has %d operations", wanted, w.Operations+submitted)
	case wanted > submitted && w.Kind == KindNone:
		in.Refuse("acknowledged", "%d, and %d operations are submitted", wanted, submitted)
	case e.CommitsWithin != nil && !s.HasFaults():
		in.Refuse("commits_within", "it counts from the last fault's end, and there is no fault; leave it out")
	case e.CommitsWithin != nil && *e.CommitsWithin == 0:
		in.Refuse("commits_within", "0: nothing commits at once; write for instance \"3T\"")
	}
	if e.MaxLatency != nil && *e.MaxLatency == 0 {
		in.Refuse("max_latency", "0: no operation takes no time; write for instance \"3T\"")
	}
	if e.Halts() && (e.CommitsWithin != nil || wanted == int(All)) {
		in.Refuse("serves", "false: nothing is acknowledged in the end, so commits_within and acknowledged = \"all\" cannot hold")
	}
	if e.Split != nil && s.Workload.Kind == KindNone {
		in.Refuse("split", "without operations there is no checkpoint; add a workload")
	}
	if len(e.Breaks) > 0 && *e.Safe {
		in.Refuse("breaks", "no invariant is broken where safe is expected; write safe = false too, or leave it out")
	}
	s.checkCourse(d)
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

// checkCourse checks the expectations about what happens during the run.
func (s *Scenario) checkCourse(d *strict.Table) {
	e, in := &s.Expect, d.Below("expect")
	span := func(key string, x *Span) {
		if x.Until > 0 && x.Until <= x.From {
			in.Below(key).Refuse("until", "%v is not after from = %v", x.Until, x.From)
		}
	}
	if e.Silent != nil {
		in.Below("silent").Needs("replica", "silent = { replica = 3, from = \"2s\" }")
		span("silent", &e.Silent.Span)
	}
	if e.NoExecutions != nil {
		span("no_executions", e.NoExecutions)
	}
	for _, key := range slices.Sorted(maps.Keys(e.SlotTexts)) {
		seq, err := strconv.ParseUint(key, 10, 64)
		what, _ := e.SlotTexts[key].(string)
		_, isDigest := ParseDigest(what)
		switch {
		case err != nil || seq == 0:
			in.Below("slots").Refuse(key, "is no sequence number; write for instance slots = { 1 = \"null\" }")
		case !isDigest && what != NullSlot && what != SomeSlot:
			in.Below("slots").Refuse(key, "must be \"null\", \"requests\", or a digest of 64 hex digits")
		}
		e.Slots = append(e.Slots, SlotHolds{Seq: wire.Seq(seq), What: what})
	}
	slices.SortFunc(e.Slots, func(a, b SlotHolds) int { return cmp.Compare(a.Seq, b.Seq) })
}

// happens reports whether an event of some kind has this replica as a target.
func (s *Scenario) happens(id wire.ReplicaID, kind func(act) bool) bool {
	return slices.ContainsFunc(s.Events, func(e Event) bool { return kind(e.act()) && slices.Contains(e.Targets, id) })
}

// HasFaults reports whether there is any fault besides the permanent properties of the network.
func (s *Scenario) HasFaults() bool {
	if s.Transactions.faulty() || slices.ContainsFunc(s.Clusters, (*Scenario).HasFaults) {
		return true
	}
	return len(s.Malicious)+len(s.Rules)+len(s.Scripts)+len(s.Requests) > 0 || slices.ContainsFunc(s.Events, func(e Event) bool { return e.Fault() })
}
