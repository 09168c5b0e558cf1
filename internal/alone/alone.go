// Package alone marks tests in which only one goroutine runs. The race detector can find nothing in such tests and
// makes them five to ten times as slow, so they are skipped under it. In every other run the package checks that the
// mark is right.
//
// It owns the mark and its check. It must not be used to leave out a test because it takes long.
package alone

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
)

// detector says whether the race detector runs.
var detector = func() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}()

// Test is the first call of a test that runs in one goroutine and starts no other, nor a subtest. Under the race detector
// the test is skipped; otherwise it fails if any goroutine was started before its end.
func Test(t testing.TB) {
	t.Helper()
	if detector {
		t.Skip("it runs in one goroutine: there is no race to be found")
	}
	runtime.GC() // the collector's own goroutines are started by the first one
	before := started()
	t.Cleanup(func() {
		if n := started() - before; n > 0 {
			t.Errorf("%d goroutines were started: the race detector is to see this test, so take alone.Test out of it", n)
		}
	})
}

// started is how many goroutines were started in the life of the process.
func started() uint64 {
	sample := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
