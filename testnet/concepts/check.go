package concepts

import (
	"fmt"
	"slices"
	"strings"

	"tagma/testnet/report"
)

// Check asks a report whether a concept happened. It returns what it saw, and what lacks.
type Check func(d *report.Document) (saw string, lacks []string)

// all makes one check of several.
func all(checks ...Check) Check {
	return func(d *report.Document) (string, []string) {
		var saw, lacks []string
		for _, c := range checks {
			s, l := c(d)
			saw, lacks = append(saw, s), append(lacks, l...)
		}
		return strings.Join(saw, "; "), lacks
	}
}

// fault is that a fault with these words happened.
func fault(words string) Check {
	return func(d *report.Document) (string, []string) {
		for _, f := range d.Faults {
			if f.Fired && strings.Contains(f.What, words) {
				return fmt.Sprintf("%s at %.1f s", f.What, float64(f.AtMS)/1000), nil
			}
		}
		return "", []string{fmt.Sprintf("no fault %q happened", words)}
	}
}

// served is that clients were answered, and got no error.
func served(d *report.Document) (string, []string) {
	o := d.Operations
	saw := fmt.Sprintf("%d of %d operations acknowledged", o.Acknowledged, o.Submitted)
	if o.Acknowledged == 0 || o.Failed > 0 {
		return saw, []string{fmt.Sprintf("%d operations acknowledged and %d failed", o.Acknowledged, o.Failed)}
	}
	return saw, nil
}

// views is that so many view changes happened, at least and at most.
func views(least, most int) Check {
	return func(d *report.Document) (string, []string) {
		saw := fmt.Sprintf("%d view changes, view %d at the end", d.ViewChanges, d.FinalView)
		if d.ViewChanges < least || d.ViewChanges > most {
			return saw, []string{fmt.Sprintf("%d view changes, and not %d to %d", d.ViewChanges, least, most)}
		}
		return saw, nil
	}
}

// convicted is that there is proof against these replicas and no others, which the cluster's public keys verify.
func convicted(replicas ...int) Check {
	return func(d *report.Document) (string, []string) {
		var found []int
		for _, e := range d.Evidence {
			if e.Verified && !slices.Contains(found, e.Replica) {
				found = append(found, e.Replica)
			}
		}
		slices.Sort(found)
		saw := fmt.Sprintf("proof against %v", found)
		if !slices.Equal(found, replicas) && len(found)+len(replicas) > 0 {
			return saw, []string{fmt.Sprintf("proof against %v, and not against %v", found, replicas)}
		}
		return saw, nil
	}
}

// alike is that so many replicas have the same state at the end.
func alike(least int) Check {
	return func(d *report.Document) (string, []string) {
		states := map[string]int{}
		most := 0
		for _, r := range d.Replicas {
			if r.Stable > 0 {
				key := fmt.Sprint(r.Stable, r.StateDigest)
				states[key]++
				most = max(most, states[key])
			}
		}
		saw := fmt.Sprintf("%d replicas have one state", most)
		if most < least {
			return saw, []string{fmt.Sprintf("%d replicas have one state, and not %d", most, least)}
		}
		return saw, nil
	}
}

// invariant is that a rule was looked at and never broken.
func invariant(id string) Check {
	return func(d *report.Document) (string, []string) {
		for _, r := range d.Invariants {
			if r.ID == id {
				if r.Checked == 0 {
					return "", []string{id + " was not looked at"}
				}
				return fmt.Sprintf("%s held %d times", id, r.Checked), nil
			}
		}
		return "", []string{"there is no " + id}
	}
}
