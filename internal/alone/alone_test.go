package alone

import "testing"

// judged is a test of which only the failure is recorded.
type judged struct {
	testing.TB
	failed, skipped bool
	last            func()
}

func (j *judged) Helper()               {}
func (j *judged) Cleanup(f func())      { j.last = f }
func (j *judged) Errorf(string, ...any) { j.failed = true }
func (j *judged) Skip(...any)           { j.skipped = true }

// A marked test fails if it starts a goroutine, even if that goroutine has ended. A marked test that starts none does
// not fail.
func TestTest_AGoroutineIsNoticed(t *testing.T) {
	for name, c := range map[string]struct {
		body   func()
		failed bool
	}{
		"none": {func() { _ = make([]byte, 1<<20) }, false},
		"one":  {func() { done := make(chan bool); go close(done); <-done }, true},
	} {
		j := &judged{TB: t}
		Test(j)
		if j.skipped != detector {
			t.Errorf("%s: skipped: %v", name, j.skipped)
		}
		if c.body(); j.last != nil {
			j.last()
		}
		if !detector && j.failed != c.failed {
			t.Errorf("%s: failed: %v", name, j.failed)
		}
	}
}
