package main

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"tagma/tagmatest"
)

func TestDeterministic(t *testing.T) {
	add, get, other := []byte("add"), []byte("get"), []byte("subtract")
	tagmatest.Deterministic(t, newCounter, [][]byte{get, add, add, other, get, add})
}

func FuzzDeterministic(f *testing.F) {
	tagmatest.Fuzz(f, newCounter, []byte("add"), []byte("get"))
}

func TestSimulated(t *testing.T) {
	tagmatest.Simulate(t, newCounter, tagmatest.Workload{
		Next: func(r *rand.Rand) tagmatest.Op {
			if r.IntN(3) == 0 {
				return tagmatest.Op{Bytes: []byte("get"), Query: true}
			}
			return tagmatest.Op{Bytes: []byte("add")}
		},
		Model: func() func(tagmatest.Executed) []byte {
			n := 0
			return func(o tagmatest.Executed) []byte {
				if string(o.Bytes) == "add" {
					n++
				}
				if n == 0 {
					return nil
				}
				return []byte(strconv.Itoa(n))
			}
		},
	}, 50)
}

func TestCluster(t *testing.T) {
	cluster := tagmatest.Start(t, newCounter)
	client := cluster.Client()
	add := func(want string) {
		t.Helper()
		r, err := client.Do(t.Context(), []byte("add"))
		if err != nil || string(r.Output()) != want {
			t.Fatalf("%s, %v; want %s", r.Output(), err, want)
		}
	}
	add("1")
	cluster.Crash(0) // the primary
	add("2")
	cluster.Restart(0)
	cluster.Malicious(3, "lying-reply")
	add("3")
}
