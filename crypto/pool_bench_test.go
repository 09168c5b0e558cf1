package crypto_test

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"tagma/crypto"
)

// BenchmarkPool compares two ways to verify requests of one claim on many connections: each connection's reader
// verifies its own requests, or submits them to the pool. Both are measured alternately in one run, so compare only
// their ratio. ns/op is for one request.
func BenchmarkPool(b *testing.B) {
	requests := distinct(0, 512, string(make([]byte, 200)))
	for _, connections := range []int{1, 4, 32} {
		b.Run(fmt.Sprintf("inline/%d", connections), func(b *testing.B) {
			v := crypto.NewVerifier(0, nil)
			flood(b, connections, func() (func(i int), func()) {
				return func(i int) { v.Verify(requests[i%512 : i%512+1]) }, func() {}
			})
		})
		b.Run(fmt.Sprintf("pool/%d", connections), func(b *testing.B) {
			p := crypto.NewPool(crypto.NewVerifier(0, nil), runtime.GOMAXPROCS(0))
			flood(b, connections, func() (func(i int), func()) {
				s := p.NewSource(crypto.Clients)
				return func(i int) { p.Submit(s, requests[i%512:i%512+1], func(bool) {}) }, s.Wait
			})
			p.Close()
		})
	}
}

// flood sends b.N requests, divided among the connections, as fast as they are accepted.
func flood(b *testing.B, connections int, connect func() (send func(i int), wait func())) {
	before := cpu(b)
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			send, wait := connect()
			for i := c; i < b.N; i += connections {
				send(i)
			}
			wait()
		})
	}
	all.Wait()
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/claim")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
}

// BenchmarkPoolIdle measures one request while the pool is idle. A reader's goroutine submits the request, and the
// goroutine that waits for it receives the verdict, as in a replica.
func BenchmarkPoolIdle(b *testing.B) {
	requests := distinct(0, 512, string(make([]byte, 200)))
	v := crypto.NewVerifier(0, nil)
	p := crypto.NewPool(v, runtime.GOMAXPROCS(0))
	s := p.NewSource(crypto.Clients)
	verdicts := make(chan bool, 1)
	for name, read := range map[string]func([]crypto.Claim){
		"inline": func(c []crypto.Claim) { verdicts <- v.Verify(c) },
		"pool":   func(c []crypto.Claim) { p.Submit(s, c, func(holds bool) { verdicts <- holds }) },
	} {
		b.Run(name, func(b *testing.B) {
			frames := make(chan []crypto.Claim)
			defer close(frames)
			go func() {
				for claims := range frames {
					read(claims)
				}
			}()
			before := cpu(b)
			for i := range b.N {
				frames <- requests[i%512 : i%512+1]
				<-verdicts
			}
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/claim")
		})
	}
}

// cpu is the processor time of this process in nanoseconds.
func cpu(b *testing.B) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}
