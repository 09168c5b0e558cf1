package check

import "strconv"

// rule numbers what a Monitor checks: the invariants I1 to I18 by their number, and what they rest on.
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

// notes say why a rule has nothing to check.
var notes = map[rule]string{i13: "there is no state transfer yet"}

// Results tell of every rule that this run could check, and of those that it could not what for. I4, I15 and I18 are
// judged by Linearizable, Settled and Real.
func (m *Monitor) Results() []Result {
	var all []Result
	for r := i1; r < rules; r++ {
		switch {
		case r == i4 || r == i15 || r == i18:
			continue
		case m.facts[r].checked == 0 && m.facts[r].why == "" && notes[r] == "":
			continue
		}
		result := m.facts[r].result(r.String())
		result.Note = notes[r]
		all = append(all, result)
	}
	return all
}
