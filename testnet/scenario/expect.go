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
	whole := func(key string) int { return in.count(key, 0, 0, 1<<31) }
	e.MaxViewChanges = optional(in, "max_view_changes", whole)
	e.MaxFinalView = optional(in, "max_final_view", whole)
	e.MinThroughputRatio = optional(in, "min_throughput_ratio", func(key string) float64 { return in.number(key, 0, 1.5) })
	if e.MinThroughputRatio != nil && !s.Workload.Baseline {
		in.refuse(in.line("min_throughput_ratio"), "min_throughput_ratio compares with a fault-free run; write baseline = true into [workload]")
	}
	e.RatioAfter = in.since("ratio_after", 0)
	if in.has("ratio_after") && e.MinThroughputRatio == nil {
		in.refuse(in.line("ratio_after"), "ratio_after belongs to min_throughput_ratio; write that too, or leave it out")
	}
	span := func(key string) time.Duration { return in.since(key, time.Second) }
	e.CommitsWithin = optional(in, "commits_within", span)
	e.MaxLatency = optional(in, "max_latency", span)
	e.Evidence, e.EvidenceGiven = in.replicas("evidence", s.Replicas)
	e.Stopped, e.StoppedGiven = in.replicas("stopped", s.Replicas)
	slices.Sort(e.Evidence)
	slices.Sort(e.Stopped)
	e.DigestsEqual = optional(in, "digests_equal", in.yes)
	e.Serves = optional(in, "serves", in.yes)
	e.Order = s.operations(in, "order")
	in.done()
}

// Halts reports whether nobody is expected to be served in the end.
func (e *Expect) Halts() bool { return e.Serves != nil && !*e.Serves }

// optional reads a key that may be missing.
func optional[V any](t *table, key string, read func(key string) V) *V {
	v := read(key) // also if it is missing, so that it is known
	if !t.has(key) {
		return nil
	}
	return &v
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
