package network

import (
	"fmt"
	"sync/atomic"
	"testing"
)

// counter is a Handler that counts frames and rings whenever the awaited number has arrived.
type counter struct {
	*recorder
	got, want atomic.Int64
	bell      chan struct{}
}

func (c *counter) FromReplica(int, []byte) {
	if c.got.Add(1) == c.want.Load() {
		c.bell <- struct{}{}
	}
}

func benchPair(b *testing.B) (*Host, *counter) {
	b.Helper()
	members := freeMembers(b, 2)
	sender := startHost(b, configOf(members, 0), newRecorder())
	c := &counter{recorder: newRecorder(), bell: make(chan struct{}, 1)}
	receiver, err := Listen(configOf(members, 1), c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = receiver.Close() })
	if err := sender.WaitConnected(within(b), 1); err != nil {
		b.Fatal(err)
	}
	return sender, c
}

// BenchmarkSend carries messages of 128 bytes in bursts: a burst of one is a message on its own, waited for.
func BenchmarkSend(b *testing.B) {
	for _, burst := range []int{1, 64} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			sender, c := benchPair(b)
			frame := make([]byte, 128)
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; done += burst {
				c.want.Store(c.got.Load() + int64(burst))
				for range burst {
					sender.Send(1, frame)
				}
				<-c.bell
			}
		})
	}
}

// BenchmarkLarge carries frames of one MiB, a few in flight.
func BenchmarkLarge(b *testing.B) {
	sender, c := benchPair(b)
	frame := make([]byte, 1<<20)
	b.SetBytes(1 << 20)
	b.ResetTimer()
	for done := 0; done < b.N; done += 4 {
		c.want.Store(c.got.Load() + 4)
		for range 4 {
			sender.Send(1, frame)
		}
		<-c.bell
	}
}
