package processes

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tagma/testnet/play"
	"tagma/testnet/scenario"
)

// In an open loop operations are due at their rate, however many workers there are. While the clients are stopped no
// operation is due, and when they continue, the missed ones are not made up for.
func TestLoad_AnOpenLoopKeepsItsRateAcrossAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const gap = 100 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		w := scenario.Workload{Kind: scenario.KindPut, Duration: time.Hour, Rate: float64(time.Second / gap)}
		l := newLoad(&scenario.Scenario{Workload: w}, play.Silent{})
		l.begin(ctx, time.Now())
		var dues []time.Duration
		for range 32 { // so many workers wait that the operations of the next three seconds all have one
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
		l.pace(20) // twice the rate
		<-time.After(gap*4 + gap/4)
		if n := taken(); n != 29 {
			t.Errorf("%d operations in %v at another pace", n-20, gap*4+gap/4)
		}
		cancel()
		l.workers.Wait()
	})
}
