package check

// rule numbers what a Monitor checks: the invariants I1 to I19, and what they rest on.
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

// Rule is something that a run is judged by.
type Rule struct {
	ID   string // under which it is cited
	Doc  string // what must hold
	Idle string // why there may be nothing to check in a run that is real; empty: there is always something
	// Journals show it: it is told of all journals that were read. Signed ones need public keys.
	Journals, Signed bool
	apart            bool // judged by a function of its own: Linearizable, Settled, Real
}

// Rules is everything that a run can be judged by, in the order of the rules' numbers.
var Rules = [...]Rule{
	i1:  {ID: "I1", Doc: "one batch for each sequence number, on every correct replica", Journals: true},
	i2:  {ID: "I2", Doc: "no correct replica's votes contradict each other, across its crash", Journals: true},
	i3:  {ID: "I3", Doc: "every request was executed once, however often it was sent"},
	i4:  {ID: "I4", Doc: "reads and writes have one order that explains what clients saw", apart: true},
	i5:  {ID: "I5", Doc: "equal states at equal checkpoints", Journals: true},
	i6:  {ID: "I6", Doc: "watermarks only rise, and pre-prepares lie between them", Journals: true},
	i7:  {ID: "I7", Doc: "views only rise, across its crash", Journals: true},
	i8:  {ID: "I8", Doc: "no sequence number was left out", Journals: true},
	i9:  {ID: "I9", Doc: "every acknowledged write survived"},
	i10: {ID: "I10", Doc: "what was believed had valid signatures", Journals: true, Signed: true},
	i11: {ID: "I11", Doc: "every certificate counts a quorum of distinct replicas", Journals: true},
	i12: {ID: "I12", Doc: "clients accepted what was executed, vouched for by f+1 replicas"},
	i13: {ID: "I13", Doc: "what was transferred was certified", Idle: "no state was transferred", Journals: true},
	i14: {ID: "I14", Doc: "what a replica holds is bounded"},
	i15: {ID: "I15", Doc: "after the last fault it committed, caught up and came to rest", apart: true},
	i16: {ID: "I16", Doc: "every executed request was signed by its client", Journals: true, Signed: true},
	i17: {ID: "I17", Doc: "no new view dropped what had committed", Idle: "no view was changed", Journals: true},
	i18: {ID: "I18", Doc: "the run was real: enough work, and every fault happened", apart: true},
	i19: {ID: "I19", Doc: "a replica that forgot its votes kept silent, and contradicted none", Idle: "no replica had forgotten what it signed", Journals: true},
	d0:  {ID: "D0", Doc: "nothing left or was executed before it was durable"},
	d1:  {ID: "D1", Doc: "a prepare rests on a durable pre-prepare and its batch"},
	d2:  {ID: "D2", Doc: "a commit rests on a durable prepared certificate"},
	d4:  {ID: "D4", Doc: "votes in a view rest on its durable new view"},
	d5:  {ID: "D5", Doc: "a checkpoint rests on a durable state"},
	e1:  {ID: "E1", Doc: "evidence holds, and names no correct replica"},
}

// Doc is what must hold by a rule; empty if there is none with this ID.
func Doc(id string) string {
	for i := range Rules {
		if Rules[i].ID == id {
			return Rules[i].Doc
		}
	}
	return ""
}

// result is what became of a rule. Where there was nothing to check, and may be, it says so.
func (v *verdict) result(r rule) Result {
	result := Result{ID: Rules[r].ID, Held: v.why == "", Checked: v.checked, Why: v.why}
	if v.checked == 0 && result.Held {
		result.Note = Rules[r].Idle
		result.Idle = result.Note != ""
	}
	return result
}

// Results tell of every rule that this run could check, and of those that it could not what for. Once journals were read,
// every rule that they show is among them. I4, I15 and I18 are judged by Linearizable, Settled and Real.
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
