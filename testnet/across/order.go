package across

import (
	"maps"
	"slices"
	"strings"

	"tagma/statemachine/kv"
)

// order judges that the committed transactions have one order over all groups in which each of them, executed alone,
// would see what it compared: the graph of who must precede whom has no cycle.
//
// Each transaction writes a value of its own. So the order in which a key's values took effect is the order of its writers,
// and a compare shows whose value was seen: its writer precedes, and the next writer follows.
func (l *Load) order(checked *int, fail func(string, ...any)) {
	before := map[string]map[string]bool{}
	precedes := func(a, b string) {
		if a == b || a == "" {
			return
		}
		if before[a] == nil {
			before[a] = map[string]bool{}
		}
		before[a][b] = true
		*checked++
	}
	for g := range l.groups {
		held := l.logs[g].held
		for _, values := range held {
			for i := 1; i < len(values); i++ {
				precedes(values[i-1], values[i])
			}
		}
		for _, tid := range l.logs[g].applied {
			m := l.byTID[tid]
			if m == nil {
				continue
			}
			for _, x := range m.reads {
				values := held[x.key]
				at := slices.Index(values, x.value) // -1: the key was absent, before all values
				switch {
				case x.group != g:
					continue
				case at < 0 && x.value != "":
					fail("transaction %v is committed, and went by a value that %s never held", tid, l.groups[g].Name)
					return
				case at >= 0:
					precedes(x.value, m.value)
				}
				if at+1 < len(values) {
					precedes(m.value, values[at+1])
				}
			}
		}
	}
	if c := cycle(before); c != nil {
		fail("these transactions have no order: %s", strings.Join(c, " before "))
	}
}

// writes are the keys that a transaction writes in a group.
func (l *Load) writes(m *Made, group int) []string {
	var keys []string
	part := m.T.Part(l.groups[group].ID)
	for a := range l.opt.Accounts {
		if strings.Contains(string(m.T.Parts[part].Op), string(kv.Put([]byte(name(a)), []byte(m.value)))) {
			keys = append(keys, name(a))
		}
	}
	return keys
}

// cycle returns a cycle of a graph, nil if there is none.
func cycle(graph map[string]map[string]bool) []string {
	const open, done = 1, 2
	state, path := map[string]int{}, []string{}
	var visit func(string) []string
	visit = func(n string) []string {
		state[n], path = open, append(path, n)
		for _, next := range slices.Sorted(maps.Keys(graph[n])) {
			if state[next] == open {
				return append(path[slices.Index(path, next):], next)
			}
			if state[next] == 0 {
				if c := visit(next); c != nil {
					return c
				}
			}
		}
		state[n], path = done, path[:len(path)-1]
		return nil
	}
	for _, n := range slices.Sorted(maps.Keys(graph)) {
		if state[n] == 0 {
			if c := visit(n); c != nil {
				return c
			}
		}
	}
	return nil
}
