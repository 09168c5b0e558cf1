package alone

import "testing"

// judged is a test whose failure is looked at.
type judged struct {
	testing.TB
	failed, skipped bool
	last            func()
}

func (j *judged) Helper()               {}
func (j *judged) Cleanup(f func())      { j.last = f }
func (j *judged) Errorf(string, ...any) { j.failed = true }
func (j *judged) Skip(...any)           { j.skipped = true }

// A mark on a test that starts a goroutine fails, even if the goroutine has ended, and one on any other test does not.
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
