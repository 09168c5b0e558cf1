package tidy

import "testing"

func TestCorePurity_AllowsPureCode(t *testing.T) {
	wantComplaints(t, corePurity(of(t, map[string]string{
		"pbft/a.go": `package pbft
import ("time"; "slices")
type r struct { votes map[int]bool; list []int; d time.Duration }
func (r *r) f() bool {
	for i := range r.list { r.votes[i] = true }
	for i := range 3 { _ = i }
	for v := range slices.Values(r.list) { _ = v }
	return r.votes[1] && r.d < time.Second
}`,
		"pbft/a_test.go":      `package pbft; import ("sync"; "time"); var mu sync.Mutex; func f() { time.Now(); go f() }`,
		"internal/node/a.go":  `package node; import "os"; var _ = os.Args; func f() { go f() }`,
		"pbftlike/other/a.go": `package other; import _ "os"`,
	})))
}

func TestCorePurity_CatchesEveryImpurity(t *testing.T) {
	for body, want := range map[string]string{
		`import "os"; var _ = os.Args`:                     "must not import os",
		`import "net"; var _ net.Addr`:                     "must not import net",
		`import "sync"; var _ sync.Mutex`:                  "must not import sync",
		`import _ "sync/atomic"`:                           "must not import sync/atomic",
		`import _ "math/rand/v2"`:                          "must not import math/rand/v2",
		`import _ "crypto/rand"`:                           "must not import crypto/rand",
		`import _ "reflect"`:                               "must not import reflect",
		`import _ "unsafe"`:                                "must not import unsafe",
		`import _ "runtime"`:                               "must not import runtime",
		`import _ "maps"`:                                  "must not import maps",
		`import _ "example.org/x"`:                         "must not import example.org/x",
		`import . "time"; var _ Duration`:                  "dot import",
		`import "time"; var _ = time.Now`:                  "time.Now",
		`import clock "time"; func f() { clock.Sleep(1) }`: "time.Sleep",
		`import "time"; func f() { time.AfterFunc(1, f) }`: "time.AfterFunc",
		`import "fmt"; func f() { fmt.Println() }`:         "fmt.Println",
		`func f() { go f() }`:                              "goroutine",
		`func f() { select {} }`:                           "select",
		`var _ chan int`:                                   "channel",
		`type r struct{ m map[int]int }; func (r *r) f() { for range r.m {} }`:                            "range over a map",
		`type votes map[int]int; type r struct{ v votes }; func f(r *r) { for k := range r.v { _ = k } }`: "range over a map",
		`func g() map[int]int { return nil }; func f() { for range g() {} }`:                              "range over a map",
		`type s struct{ m map[int]int }; func f(x []s) { for range x[0].m {} }`:                           "range over a map",
		`func f[M ~map[K]V, K comparable, V any](m M) { for range m {} }`:                                 "range over a map",
		`func f() { for range nowhere {} }`:                                                               "unknown type",
	} {
		t.Run(want, func(t *testing.T) {
			wantComplaints(t, corePurity(of(t, map[string]string{"pbft/a.go": "package pbft; " + body})), want)
		})
	}
}
