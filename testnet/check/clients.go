package check

import "slices"

// Write is one write in a history. In such a history, only one client writes a given key, and its writes do not overlap.
type Write struct {
	Key, Value   string
	Acknowledged bool // false: its outcome is unknown, so it may have happened or not
}

// Found is the value of a key when it was read back.
type Found struct {
	Value   string
	Version uint64 // how often the key was written
}

// Durable checks I9: every key has the value of its last acknowledged write, or of a later write whose outcome is
// unknown. Writes must be in the order in which each key's were made; found has the value of every key at the end.
func Durable(writes []Write, found map[string]Found) Result {
	var v verdict
	possible := make(map[string][]string) // by key: the last acknowledged value and all later ones
	for _, w := range writes {
		if w.Acknowledged {
			possible[w.Key] = nil
		}
		possible[w.Key] = append(possible[w.Key], w.Value)
	}
	for _, w := range writes {
		if !w.Acknowledged {
			continue
		}
		v.checked++
		got, there := found[w.Key]
		switch {
		case !there:
			v.fail("key %q was written and acknowledged, and is gone", w.Key)
		case !slices.Contains(possible[w.Key], got.Value):
			v.fail("key %q holds %q, which is neither the last acknowledged write nor a later one", w.Key, got.Value)
		}
	}
	return v.result(i9)
}

// Once checks I3 as far as a key-value store shows it. A key's version counts its writes. So it must be at least the
// number of acknowledged writes, and at most that number plus the number of writes with unknown outcome. It does not
// matter how often each write was sent.
func Once(writes []Write, found map[string]Found) Result {
	var v verdict
	least, most := make(map[string]uint64), make(map[string]uint64)
	for _, w := range writes {
		most[w.Key]++
		if w.Acknowledged {
			least[w.Key]++
		}
	}
	for _, w := range writes {
		got, there := found[w.Key]
		if !there {
			continue // Durable judges that
		}
		v.checked++
		if got.Version < least[w.Key] || got.Version > most[w.Key] {
			v.fail("key %q was written %d times by %d acknowledged of %d requests", w.Key, got.Version, least[w.Key], most[w.Key])
		}
	}
	return v.result(i3)
}

// Planned is a fault that a run was planned to have.
type Planned struct {
	What  string
	Fired bool
	Late  bool // it did not happen, because the time for it came too late
}

// Real checks I18: enough operations must have been acknowledged, and every planned fault must have happened. Otherwise
// the run proves nothing.
func Real(acknowledged, wanted int, faults []Planned) Result {
	v := verdict{checked: 1 + len(faults)}
	if acknowledged < wanted {
		v.fail("%d operations were acknowledged, and at least %d were to be", acknowledged, wanted)
	}
	late := true
	for _, f := range faults {
		if !f.Fired {
			v.fail("this did not happen: %s", f.What)
			late = late && f.Late
		}
	}
	result := v.result(i18)
	result.Timed = !result.Held && late
	return result
}
