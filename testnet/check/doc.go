// Package check judges a run: it checks the invariants on what correct replicas wrote to their journals and what
// clients saw.
//
// It knows the protocol's records but not how a run was made, so that the same checks serve processes and simulations.
// It only reads and judges. Every check has a test that shows that it can fail.
package check

import "fmt"

// Result is the result of checking one invariant.
type Result struct {
	ID      string `json:"id"`
	Held    bool   `json:"held"`
	Checked int    `json:"checked"`        // how many facts were compared; with 0, Held says nothing
	Why     string `json:"why,omitempty"`  // the first violation
	Idle    bool   `json:"idle,omitempty"` // there was nothing to check, which is no fault
	Note    string `json:"note,omitempty"` // why nothing was checked, or not everything
	// Timed says that the only failure was that something did not happen in time.
	Timed bool `json:"-"`
	// Excused is set by the code that ran the cluster if a slow machine may have caused the failure: nothing is proven.
	Excused string `json:"excused,omitempty"`
}

// verdict counts one invariant's facts.
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
