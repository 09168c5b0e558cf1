package check

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Linearizable checks I4: the operations of a history can be put into an order in which each takes effect between its
// invocation and its return, and returns what the machine would return. If the order of execution is known and explains
// the history (see witnessed), I4 holds. Otherwise it searches for an order. For this the history is divided into parts
// that have no key in common. A search that takes too long decides nothing: Checked counts only the operations of parts
// that were decided, and the note names the other parts.
func Linearizable(calls []Call, patience time.Duration) Result {
	var v verdict
	undecided, deadline := 0, time.Now().Add(patience)
	for _, part := range parts(calls) {
		if witnessed(part) {
			v.checked += known(part)
			continue
		}
		switch judge(part, time.Until(deadline)) {
		case porcupine.Ok:
			v.checked += known(part)
		case porcupine.Illegal:
			v.checked += known(part)
			v.fail("no order explains what clients were told of %s: %v", names(part), culprit(part, time.Until(deadline)))
		case porcupine.Unknown:
			undecided += known(part)
		}
	}
	r := v.result(i4)
	if undecided > 0 {
		r.Note = "given up for lack of time over " + plural(undecided, "operation")
	}
	return r
}

// model is the sequential specification of both machines, for porcupine.
var model = porcupine.Model{
	Init: func() any { return world(nil) },
	Step: func(state, input, output any) (bool, any) {
		c := output.(*Call)
		next, out := state.(world).do(input.(*Op))
		return !c.Known || out.explains(&c.Out), next
	},
	Equal: func(a, b any) bool { return maps.Equal(a.(world), b.(world)) },
}

// judge decides a part. If no time is left, the part stays undecided.
func judge(part []Call, patience time.Duration) porcupine.CheckResult {
	if patience <= 0 {
		return porcupine.Unknown
	}
	ops := make([]porcupine.Operation, len(part))
	for i := range part {
		c := &part[i]
		ops[i] = porcupine.Operation{ClientId: c.Client, Input: &c.Op, Output: c, Call: int64(c.Invoked), Return: int64(c.Returned)}
		if !c.Known {
			ops[i].Return = math.MaxInt64
		}
	}
	return porcupine.CheckOperationsTimeout(model, ops, patience)
}

// culprit returns the first answer that no order explains. If a history can be explained up to some time, so can every
// shorter one; so bisection finds the answer.
func culprit(part []Call, patience time.Duration) *Call {
	ends := make([]*Call, 0, len(part))
	for i := range part {
		if part[i].Known {
			ends = append(ends, &part[i])
		}
	}
	slices.SortStableFunc(ends, func(a, b *Call) int { return cmp.Compare(a.Returned, b.Returned) })
	deadline := time.Now().Add(patience)
	first := sort.Search(len(ends)-1, func(i int) bool {
		return judge(until(part, ends[i].Returned), time.Until(deadline)) != porcupine.Ok
	})
	return ends[first]
}

// until returns what was known of a history at a given time.
func until(part []Call, at time.Duration) []Call {
	var early []Call
	for _, c := range part {
		if c.Invoked > at {
			continue
		}
		c.Known = c.Known && c.Returned <= at
		early = append(early, c)
	}
	return early
}

// parts divides a history into parts that have no key in common.
func parts(calls []Call) [][]Call {
	parent := map[string]string{}
	var root func(string) string
	root = func(k string) string {
		if p, there := parent[k]; !there || p == k {
			parent[k] = k
			return k
		}
		parent[k] = root(parent[k])
		return parent[k]
	}
	const everything = "\x00"
	home := make([]string, len(calls))
	audited := false
	for i := range calls {
		first := ""
		all := calls[i].Op.keys(func(k string) {
			if k = "k" + k; first == "" {
				first = k
			}
			parent[root(k)] = root(first)
		})
		if audited = audited || all; all {
			first = everything
		}
		home[i] = first
	}
	byRoot := map[string][]Call{}
	for i := range calls {
		at := root(home[i])
		if audited {
			at = everything
		}
		byRoot[at] = append(byRoot[at], calls[i])
	}
	var all [][]Call
	for _, k := range slices.Sorted(maps.Keys(byRoot)) {
		all = append(all, byRoot[k])
	}
	return all
}

func known(part []Call) (n int) {
	for i := range part {
		if part[i].Known {
			n++
		}
	}
	return n
}

// names lists a part's keys, some of them if there are many.
func names(part []Call) string {
	set := map[string]bool{}
	for i := range part {
		part[i].Op.keys(func(k string) { set[k] = true })
	}
	keys := slices.Sorted(maps.Keys(set))
	const enough = 4
	if len(keys) > enough {
		return strings.Join(keys[:enough], ", ") + " and " + plural(len(keys)-enough, "more key")
	}
	return strings.Join(keys, ", ")
}
