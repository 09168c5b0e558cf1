package report

import "slices"

// Verdicts.
const (
	Pass = "pass"
	Fail = "fail"
	// Inconclusive is a run in which nothing failed but what is excused: whether that would have held, it did not show.
	Inconclusive = "inconclusive"
)

// Expected adds something that was to hold.
func (d *Document) Expected(key string, want, got any, held bool) {
	d.Expect = append(d.Expect, Expectation{Key: key, Want: want, Got: got, Held: held})
}

// Judge sets the verdict: Pass when every expectation and every invariant held, and some fact was checked for each that
// had any to check; Inconclusive when all that did not hold is excused. A run that was to break an invariant fails if all
// held.
func (d *Document) Judge() {
	d.Verdict = Pass
	miss := func(excused string) {
		switch {
		case excused == "":
			d.Verdict = Fail
		case d.Verdict == Pass:
			d.Verdict = Inconclusive
		}
	}
	for _, e := range d.Expect {
		if !e.Held {
			miss(e.Excused)
		}
	}
	broken := slices.ContainsFunc(d.Expect, func(e Expectation) bool { return e.Key == "safe" && e.Want == false })
	for _, r := range d.Invariants {
		if !broken && (!r.Held || r.Checked == 0 && !r.Idle) {
			miss(r.Excused)
		}
	}
}

// Excuses are the reasons for which something that did not hold is not judged, each once.
func (d *Document) Excuses() (reasons []string) {
	add := func(held bool, excused string) {
		if !held && excused != "" && !slices.Contains(reasons, excused) {
			reasons = append(reasons, excused)
		}
	}
	for _, e := range d.Expect {
		add(e.Held, e.Excused)
	}
	for _, r := range d.Invariants {
		add(r.Held, r.Excused)
	}
	return reasons
}
