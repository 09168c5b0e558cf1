package processes

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tagma/testnet/scenario"
)

// In an open loop operations are due at their rate, however many workers wait for their turn; while clients are stopped
// none is, and none is missing afterwards.
func TestLoad_AnOpenLoopKeepsItsRateAcrossAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const gap = 100 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		l := &load{
			s:   &scenario.Scenario{Workload: scenario.Workload{Kind: scenario.KindPut, Duration: time.Hour}},
			gap: gap, changed: make(chan struct{}), ctx: ctx, began: time.Now(),
		}
		var dues []time.Duration
		for range 32 { // together they wait for three seconds ahead
			l.workers.Go(func() {
				for {
					due, ok := l.take()
					if !ok {
						return
					}
					l.mu.Lock()
					dues = append(dues, due)
					l.mu.Unlock()
				}
			})
		}
		taken := func() int {
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(dues)
		}
		<-time.After(gap*9 + gap/2)
		if n := taken(); n != 10 {
			t.Errorf("%d operations in %v", n, gap*9+gap/2)
		}
		l.pause(true)
		<-time.After(10 * gap)
		if n := taken(); n != 10 {
			t.Errorf("%d operations while the clients were stopped", n-10)
		}
		l.pause(false)
		<-time.After(gap*9 + gap/2)
		if n := taken(); n != 20 {
			t.Errorf("%d operations in %v after that", n-10, gap*9+gap/2)
		}
		cancel()
		l.workers.Wait()
	})
}
