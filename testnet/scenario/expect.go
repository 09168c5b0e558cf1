package scenario

import (
	"slices"
	"time"
)

// readExpect takes what must hold. Safety is expected unless the file says otherwise.
func (s *Scenario) readExpect(t *table) {
	in, _ := t.below("expect")
	e := &s.Expect
	e.Safe = new(typed(in, "safe", "true or false", true))
	s.readAcknowledged(in)
	e.MaxViewChanges = in.optional("max_view_changes")
	e.MaxFinalView = in.optional("max_final_view")
	if in.has("min_throughput_ratio") {
		e.MinThroughputRatio = new(in.number("min_throughput_ratio", 0, 1.5))
		if !s.Workload.Baseline {
			in.refuse(in.line("min_throughput_ratio"), "min_throughput_ratio compares with a fault-free run; write baseline = true into [workload]")
		}
	} else {
		in.get("min_throughput_ratio")
	}
	e.RatioAfter = in.since("ratio_after", 0)
	if in.has("ratio_after") && e.MinThroughputRatio == nil {
		in.refuse(in.line("ratio_after"), "ratio_after belongs to min_throughput_ratio; write that too, or leave it out")
	}
	if in.has("commits_within") {
		e.CommitsWithin = new(in.since("commits_within", time.Second))
	} else {
		in.get("commits_within")
	}
	e.Evidence, e.EvidenceGiven = in.replicas("evidence", s.Replicas)
	e.Stopped, e.StoppedGiven = in.replicas("stopped", s.Replicas)
	slices.Sort(e.Evidence)
	slices.Sort(e.Stopped)
	if in.has("digests_equal") {
		e.DigestsEqual = new(in.yes("digests_equal"))
	} else {
		in.get("digests_equal")
	}
	e.Order = s.operations(in, "order")
	in.done()
}

// optional reads a whole number from 0 that may be missing.
func (t *table) optional(key string) *int {
	n := t.count(key, 0, 0, 1<<31)
	if !t.has(key) {
		return nil
	}
	return &n
}

func (s *Scenario) readAcknowledged(t *table) {
	v, given := t.get("acknowledged")
	if !given {
		return
	}
	switch v := v.(type) {
	case string:
		if s.Expect.AcknowledgedAll = v == "all"; s.Expect.AcknowledgedAll {
			return
		}
	case int64:
		if v >= 0 && v <= maxOperations {
			s.Expect.Acknowledged = new(int(v))
			return
		}
	}
	t.mistyped("acknowledged", `"all", or a number from 0`)
}
