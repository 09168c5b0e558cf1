package tidy

import "testing"

func TestSleepingTests_AreFoundUnderAnyName(t *testing.T) {
	tree := of(t, map[string]string{
		"a/plain_test.go":   `package a; import "time"; func f() { time.Sleep(1) }`,
		"a/renamed_test.go": `package a; import clock "time"; func f() { clock.Sleep(1) }`,
		"a/dot_test.go":     `package a; import . "time"; func f() { Sleep(Second) }`,
		"a/value_test.go":   `package a; import "time"; var nap = time.Sleep`,
		"a/other_test.go":   `package a; import "time"; type x struct{}; func (x) Sleep() {}; func f() { x{}.Sleep(); _ = time.Second }`,
		"a/code.go":         `package a; import "time"; func f() { time.Sleep(1) }`,
	})
	wantComplaints(t, sleepingTests(tree),
		"a/plain_test.go", "a/renamed_test.go", "a/dot_test.go", "a/value_test.go")
}
