package concepts

import (
	"fmt"
	"slices"
	"strings"

	"tagma/testnet/links"
	"tagma/testnet/report"
	"tagma/testnet/scenario"
)

// Check reads the report of a scenario and finds out whether a concept was demonstrated. It returns what it saw, and
// what is missing.
type Check func(s *scenario.Scenario, d *report.Document) (saw string, lacks []string)

// all makes one check of several.
func all(checks ...Check) Check {
	return func(sc *scenario.Scenario, d *report.Document) (string, []string) {
		var saw, lacks []string
		for _, c := range checks {
			s, l := c(sc, d)
			saw, lacks = append(saw, s), append(lacks, l...)
		}
		return strings.Join(saw, "; "), lacks
	}
}

// unless returns what is missing, or nothing if the condition holds.
func unless(good bool, lack string) []string {
	if good {
		return nil
	}
	return []string{lack}
}

// fault checks that a fault happened whose description has these words.
func fault(words string) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		for _, f := range d.Faults {
			if f.Fired && strings.Contains(f.What, words) {
				return fmt.Sprintf("%s at %.1f s", f.What, float64(f.AtMS)/1000), nil
			}
		}
		return "", []string{fmt.Sprintf("no fault %q happened", words)}
	}
}

// link checks that messages of some links were treated in a certain way. The name of a fault on links does not say that.
func link(how string, does func(q *links.Link) bool) Check {
	return func(sc *scenario.Scenario, d *report.Document) (string, []string) {
		saw, lacks := fault("link")(sc, d)
		set := slices.ContainsFunc(sc.Events, func(e scenario.Event) bool { return does(&e.Link) })
		return saw + " " + how, append(lacks, unless(set, "no link "+how)...)
	}
}

// Ways in which links treat messages.
var (
	loses      = link("loses messages", func(q *links.Link) bool { return q.Loss > 0 })
	duplicates = link("duplicates messages", func(q *links.Link) bool { return q.Duplicate > 0 })
	reorders   = link("reorders messages", func(q *links.Link) bool { return q.Reorder > 0 })
	delays     = link("delays messages", func(q *links.Link) bool { return q.Delay > 0 })
)

// served checks that clients were answered, and got no error.
func served(_ *scenario.Scenario, d *report.Document) (string, []string) {
	o := d.Operations
	saw := fmt.Sprintf("%d of %d operations acknowledged", o.Acknowledged, o.Submitted)
	return saw, unless(o.Acknowledged > 0 && o.Failed == 0, fmt.Sprintf("%d operations acknowledged and %d failed", o.Acknowledged, o.Failed))
}

// views checks that the number of view changes lies between least and most.
func views(least, most int) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		saw := fmt.Sprintf("%d view changes, view %d at the end", d.ViewChanges, d.FinalView)
		return saw, unless(least <= d.ViewChanges && d.ViewChanges <= most, fmt.Sprintf("%d view changes, and not %d to %d", d.ViewChanges, least, most))
	}
}

// convicted checks that there is valid evidence against exactly these replicas.
func convicted(replicas ...int) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		var found []int
		for _, e := range d.Evidence {
			if e.Verified && !slices.Contains(found, e.Replica) {
				found = append(found, e.Replica)
			}
		}
		slices.Sort(found)
		saw := fmt.Sprintf("proof against %v", found)
		return saw, unless(slices.Equal(found, replicas), fmt.Sprintf("proof against %v, and not against %v", found, replicas))
	}
}

// alike checks that at least this many replicas have the same state at the end.
func alike(least int) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		states := map[string]int{}
		most := 0
		for _, r := range d.Replicas {
			if r.Stable > 0 {
				states[r.StateDigest]++
				most = max(most, states[r.StateDigest])
			}
		}
		saw := fmt.Sprintf("%d replicas have one state", most)
		return saw, unless(most >= least, fmt.Sprintf("%d replicas have one state, and not %d", most, least))
	}
}

// invariant checks that a rule was checked in the run and never broken.
func invariant(id string) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		for _, r := range d.Invariants {
			if r.ID == id {
				return fmt.Sprintf("%s held %d times", id, r.Checked), unless(r.Checked > 0, id+" was not looked at")
			}
		}
		return "", []string{"there is no " + id}
	}
}

// broken checks that a rule was broken, for a card that shows how this happens.
func broken(id string) Check {
	return func(_ *scenario.Scenario, d *report.Document) (string, []string) {
		for _, r := range d.Invariants {
			if r.ID == id && !r.Held {
				return id + " was broken: " + r.Why, nil
			}
		}
		return "", []string{id + " was not broken"}
	}
}
