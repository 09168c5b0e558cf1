// Package check judges a run: it holds the invariants against what correct replicas wrote to their journals and what
// clients saw.
//
// It knows the protocol's records and nothing of how a run was made, so that the same checks serve processes and
// simulations. It reads and judges; it changes nothing. Every check has a test that it can fail.
package check

import "fmt"

// Result is what became of one invariant.
type Result struct {
	ID      string `json:"id"`
	Held    bool   `json:"held"`
	Checked int    `json:"checked"`        // facts that were compared; 0 checks nothing, and then Held says nothing
	Why     string `json:"why,omitempty"`  // the first violation
	Idle    bool   `json:"idle,omitempty"` // there was nothing to check, which is no fault
	Note    string `json:"note,omitempty"` // why nothing was checked, or not everything
	// Timed: all that did not hold is that something did not happen in its time.
	Timed bool `json:"-"`
	// Excused is set by who ran it, when that it did not hold may be the machine's fault: a run can then show neither.
	Excused string `json:"excused,omitempty"`
}

// verdict gathers one invariant's facts.
type verdict struct {
	checked int
	why     string
}

// fail notes the first violation.
func (v *verdict) fail(format string, args ...any) {
	if v.why == "" {
		v.why = fmt.Sprintf(format, args...)
	}
}
