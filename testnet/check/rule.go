package check

// rule numbers what a Monitor checks: the invariants I1 to I19, and what they depend on.
type rule int

const (
	i1 rule = iota
	i2
	i3
	i4
	i5
	i6
	i7
	i8
	i9
	i10
	i11
	i12
	i13
	i14
	i15
	i16
	i17
	i18
	i19
	d0
	d1
	d2
	d4
	d5
	e1
)

// Rule is a rule by which a run is judged.
type Rule struct {
	ID   string // by which it is cited; package rules has its sentence
	Idle string // why a real run may have nothing to check for this rule; empty: there is always something
	// Whether the rule can be checked with journals alone. If Signed is set, public keys are needed as well.
	Journals, Signed bool
	apart            bool // checked by a function of its own: Linearizable, Settled or Real
}

// Rules are all rules by which a run can be judged, in the order of their numbers.
var Rules = [...]Rule{
	i1:  {ID: "I1", Journals: true},
	i2:  {ID: "I2", Journals: true},
	i3:  {ID: "I3"},
	i4:  {ID: "I4", apart: true},
	i5:  {ID: "I5", Journals: true},
	i6:  {ID: "I6", Journals: true},
	i7:  {ID: "I7", Journals: true},
	i8:  {ID: "I8", Journals: true},
	i9:  {ID: "I9"},
	i10: {ID: "I10", Journals: true, Signed: true},
	i11: {ID: "I11", Journals: true},
	i12: {ID: "I12"},
	i13: {ID: "I13", Idle: "no state was transferred", Journals: true},
	i14: {ID: "I14"},
	i15: {ID: "I15", apart: true},
	i16: {ID: "I16", Journals: true, Signed: true},
	i17: {ID: "I17", Idle: "no view was changed", Journals: true},
	i18: {ID: "I18", apart: true},
	i19: {ID: "I19", Idle: "no replica had forgotten what it signed", Journals: true},
	d0:  {ID: "D0"},
	d1:  {ID: "D1"},
	d2:  {ID: "D2"},
	d4:  {ID: "D4"},
	d5:  {ID: "D5"},
	e1:  {ID: "E1"},
}

// result is the result for one rule. If there was nothing to check, it says why.
func (v *verdict) result(r rule) Result {
	result := Result{ID: Rules[r].ID, Held: v.why == "", Checked: v.checked, Why: v.why}
	if v.checked == 0 && result.Held {
		result.Note = Rules[r].Idle
		result.Idle = result.Note != ""
	}
	return result
}

// Results returns the result of every rule that this run could check, and for the others why not. If journals were
// read, every rule that journals show is among them. Linearizable, Settled and Real judge I4, I15 and I18.
func (m *Monitor) Results() []Result {
	var all []Result
	for r := range rule(len(Rules)) {
		kind, result := &Rules[r], m.facts[r].result(r)
		shown := m.read && kind.Journals && (!kind.Signed || m.holds != nil)
		if !kind.apart && (shown || result.Checked > 0 || !result.Held || !m.read && result.Idle) {
			all = append(all, result)
		}
	}
	return all
}
