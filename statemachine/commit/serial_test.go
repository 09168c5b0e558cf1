package commit_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tagma/statemachine/commit"
)

func contains(b []byte, text string) bool { return bytes.Contains(b, []byte(text)) }

// serializable checks that the committed transactions and the ordinary operations have an order in which each one,
// executed alone, sees what it compared: the graph of who must precede whom has no cycle. Every value is written by one
// of them alone, so the order of a key's values shows the order of its writers, and a compare shows whose value was seen.
func (s *schedule) serializable() {
	before := map[string]map[string]bool{}
	precedes := func(a, b string) {
		if a != b && a != "" && b != "" {
			if before[a] == nil {
				before[a] = map[string]bool{}
			}
			before[a][b] = true
		}
	}
	for _, h := range s.histories {
		for i := 1; i < len(h); i++ {
			precedes(writer(h[i-1]), writer(h[i]))
		}
	}
	for i, x := range s.txns {
		coordinator := s.groups[x.Coordinator[0]-0x10]
		if string(coordinator.statement(x.ID())) != string(commit.Statement(coordinator.about.Machine, x.ID(), commit.StateCommitted)) {
			continue
		}
		me := fmt.Sprintf("t%d", i)
		for _, p := range x.Parts {
			g := s.groups[p.Group[0]-0x10]
			if g.about.Machine != "kv" {
				continue
			}
			for _, k := range keys {
				h := s.histories[g.about.Name+k]
				for at, v := range h {
					if !compares(p.Op, k, v) {
						continue
					}
					precedes(writer(v), me)
					if at+1 < len(h) {
						precedes(me, writer(h[at+1]))
					}
				}
			}
		}
	}
	if cycle := cycleIn(before); cycle != nil {
		s.t.Errorf("no order: %s", strings.Join(cycle, " < "))
	}
}

// writer is what wrote a value: names of transactions begin with t, and names of ordinary operations with o.
func writer(value string) string {
	name, _, _ := strings.Cut(value, "g")
	return name
}

// compares reports whether a part compares a key with a value, as newSchedule's transactions do.
func compares(part []byte, key, value string) bool {
	if value == "" {
		return contains(part, "\x01\x01\x00\x01"+key+"\x00\x00\x00\x00\x00\x00\x00\x00")
	}
	return contains(part, fmt.Sprintf("\x04\x01\x00\x01%s\x00\x00\x00%c%s", key, len(value), value))
}

func cycleIn(graph map[string]map[string]bool) []string {
	const open, done = 1, 2
	state, path := map[string]int{}, []string{}
	var visit func(string) []string
	visit = func(n string) []string {
		state[n] = open
		path = append(path, n)
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
