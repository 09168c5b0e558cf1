package check

import "strconv"

// rule numbers what a Monitor checks: the invariants I1 to I19 by their number, and what they rest on.
type rule int

const (
	i1  rule = 1 + iota // one digest a sequence number
	i2                  // one statement a place, and none in a view that was left
	i3                  // exactly once, with the same result everywhere
	i4                  // linearizable
	i5                  // one state after a sequence number
	i6                  // watermarks
	i7                  // views only rise
	i8                  // contiguous execution
	i9                  // what was acknowledged survives
	i10                 // what changed a state was signed
	i11                 // certificates rest on quorums
	i12                 // clients accept what f+1 vouch for
	i13                 // transferred states are certified
	i14                 // bounded
	i15                 // recovery
	i16                 // only clients' operations
	i17                 // what committed stays
	i18                 // the run was real
	i19                 // silence after amnesia
	d0                  // durable before it is shown or executed
	d1                  // a prepare rests on a pre-prepare and a body
	d2                  // a commit rests on a prepared certificate
	d4                  // votes of a view rest on its new view
	d5                  // a checkpoint rests on a state
	e1                  // evidence holds
	rules
)

// String is the name under which rules are cited.
func (r rule) String() string {
	switch r {
	case d0, d1, d2:
		return "D" + strconv.Itoa(int(r-d0))
	case d4, d5:
		return "D" + strconv.Itoa(int(r-d4)+4)
	case e1:
		return "E1"
	default:
		return "I" + strconv.Itoa(int(r))
	}
}

// Rules are the names of everything that a run can be judged by.
func Rules() (names []string) {
	for r := i1; r < rules; r++ {
		names = append(names, r.String())
	}
	return names
}

// idle says why a rule may have nothing to check in a run that is real.
var idle = map[rule]string{
	i13: "no state was transferred", i17: "no view was changed", i19: "no replica had forgotten what it signed",
}

// tell is a rule's result. Where there was nothing to check, and may be, it says so.
func (v *verdict) tell(r rule) Result {
	result := v.result(r.String())
	if v.checked == 0 && result.Held {
		result.Note = idle[r]
		result.Idle = result.Note != ""
	}
	return result
}

// Results tell of every rule that this run could check, and of those that it could not what for. I4, I15 and I18 are
// judged by Linearizable, Settled and Real.
func (m *Monitor) Results() []Result {
	var all []Result
	for r := i1; r < rules; r++ {
		if r == i4 || r == i15 || r == i18 {
			continue
		}
		if result := m.facts[r].tell(r); result.Checked > 0 || !result.Held || result.Idle {
			all = append(all, result)
		}
	}
	return all
}
