package bench

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// small is a closed loop of one client without a warm-up.
func small(ops int) Options {
	return Options{Clients: 1, Ops: ops, Batch: 1, ValueBytes: 10, Keys: 1000, Timeout: time.Minute}
}

// in runs a test in virtual time against a fake. The clock advances only while all goroutines wait.
func in(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }

func mustRun(t *testing.T, f *fake, opt Options) *Result {
	t.Helper()
	r, err := Run(t.Context(), []Caller{Session(f)}, opt, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun_AClosedLoopSendsWhenTheLastAnswerCame(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, steady(10*time.Millisecond))
		opt := small(400)
		opt.Clients = 4
		r := mustRun(t, f, opt)
		if r.Operations != (Operations{Submitted: 400, Acknowledged: 400}) || r.ElapsedMS != 1000 || r.Throughput.OpsPerSecond != 400 {
			t.Errorf("4 clients that wait 10 ms each: %+v in %v ms, %v ops/s", r.Operations, r.ElapsedMS, r.Throughput)
		}
		if l := r.Latency; l.P50 < 9.99 || l.Max != 10 || l.P999 > 10 {
			t.Errorf("latencies %+v", l)
		}
	})
}

func TestRun_ADurationEndsTheSendingAndAllIsAnswered(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, steady(30*time.Millisecond))
		opt := small(0)
		opt.Duration, opt.Clients = 100*time.Millisecond, 3
		if r := mustRun(t, f, opt); r.Operations.Acknowledged != 12 || r.ElapsedMS != 120 {
			t.Errorf("sent at 0, 30, 60 and 90 ms by three clients: %+v in %v ms", r.Operations, r.ElapsedMS)
		}
	})
}

// A cluster answers nothing for a second. That delays the 100 requests that were due in this second, and all of them
// are counted. A client that measured only what it sent would have seen one slow request.
func TestRun_AnOpenLoopCountsTheTimeFromWhenARequestWasDue(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, func(n int) (time.Duration, error) {
			if n == 100 {
				return time.Second, nil
			}
			return time.Millisecond, nil
		})
		opt := small(1000)
		opt.Rate = 100
		r := mustRun(t, f, opt)
		if r.Operations.Acknowledged != 1000 || r.Latency.P50 > 1.01 {
			t.Errorf("%+v, %+v", r.Operations, r.Latency)
		}
		if r.Latency.P95 < 400 || r.Latency.Max != 1000 {
			t.Errorf("the stall does not show in the requests that it delayed: %+v", r.Latency)
		}
	})
}

func TestRun_AnOpenLoopKeepsItsRate(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, steady(time.Millisecond))
		opt := small(0)
		opt.Duration, opt.Rate, opt.Clients, opt.Batch = 2*time.Second, 400, 8, 4
		r := mustRun(t, f, opt)
		if r.Operations.Acknowledged != 800 || len(f.sizes) != 200 {
			t.Errorf("%+v in %d requests", r.Operations, len(f.sizes))
		}
		if gap := f.sent[100].Sub(f.sent[0]); gap != time.Second {
			t.Errorf("the 101st request of 100 a second came after %v", gap)
		}
	})
}

func TestRun_TheWarmUpIsNotMeasured(t *testing.T) {
	in(t, func(t *testing.T) {
		began := time.Now()
		f := newFake(t, func(int) (time.Duration, error) {
			if time.Since(began) < time.Second {
				return 100 * time.Millisecond, errors.New("still cold")
			}
			return time.Millisecond, nil
		})
		opt := small(50)
		opt.Warmup = time.Second
		r := mustRun(t, f, opt)
		if r.Operations != (Operations{Submitted: 50, Acknowledged: 50}) || r.Latency.Max != 1 || r.ElapsedMS != 50 {
			t.Errorf("%+v, %+v, %v ms", r.Operations, r.Latency, r.ElapsedMS)
		}
	})
}

func TestRun_FailuresAreCountedByWhatIsKnownOfThem(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, func(n int) (time.Duration, error) {
			switch n {
			case 1:
				return time.Hour, nil // until the patience ends
			case 2:
				return time.Millisecond, errors.New("refused")
			}
			return time.Millisecond, nil
		})
		opt := small(10)
		opt.Batch, opt.Timeout = 2, time.Second
		r := mustRun(t, f, opt)
		if want := (Operations{Submitted: 10, Acknowledged: 6, Failed: 2, Unknown: 2, Busy: 2}); r.Operations != want || r.FirstError == "" {
			t.Errorf("%+v, want %+v; first error %q", r.Operations, want, r.FirstError)
		}
	})
}

func TestRun_AnInterruptionIsNoResult(t *testing.T) {
	in(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFake(t, func(n int) (time.Duration, error) {
			if n == 5 {
				cancel()
			}
			return time.Millisecond, nil
		})
		opt := small(1000)
		opt.Clients = 2
		if r, err := Run(ctx, []Caller{Session(f)}, opt, 0, nil); r != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

func TestRun_ProgressIsShown(t *testing.T) {
	in(t, func(t *testing.T) {
		var seen []Progress
		opt := small(100)
		opt.Warmup = time.Second
		f := newFake(t, steady(10*time.Millisecond))
		_, err := Run(t.Context(), []Caller{Session(f)}, opt, 405*time.Millisecond, func(p Progress) { seen = append(seen, p) })
		if err != nil || len(seen) != 4 {
			t.Fatalf("%+v, %v", seen, err)
		}
		if p := seen[1]; !p.Warming || p.Length != time.Second || p.Elapsed != 810*time.Millisecond {
			t.Errorf("in the warm-up %+v", p)
		}
		if p := seen[2]; p.Warming || p.Of != 100 || p.Done != 40 {
			t.Errorf("in the measurement %+v", p)
		}
	})
}
