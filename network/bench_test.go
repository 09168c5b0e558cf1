package network

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

// counter is a Handler that counts frames. It signals when the count has reached an expected number.
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

// BenchmarkSend sends messages of 128 bytes in bursts and waits until each burst has arrived. A burst may have only one
// message.
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

// BenchmarkLarge sends frames of one MiB, a few at a time.
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

// BenchmarkBesideBulk measures the time of a message of 128 bytes while frames of 4 MiB are sent to the same peer.
func BenchmarkBesideBulk(b *testing.B) {
	members := freeMembers(b, 2)
	sender := startHost(b, configOf(members, 0), newRecorder())
	receiver := &sieve{recorder: newRecorder(), small: make(chan struct{}, 1), large: make(chan struct{}, 1)}
	host, err := Listen(configOf(members, 1), receiver)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = host.Close() })
	if err := sender.WaitConnected(within(b), 1); err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	var feeder sync.WaitGroup
	frame := make([]byte, 4<<20)
	feeder.Go(func() {
		for sender.Send(1, frame); ; sender.Send(1, frame) { // one frame is being sent and one waits behind it
			select {
			case <-receiver.large:
			case <-stop:
				return
			}
		}
	})
	small := make([]byte, 128)
	b.ResetTimer()
	for range b.N {
		sender.Send(1, small)
		<-receiver.small
	}
	b.StopTimer()
	close(stop)
	feeder.Wait()
}

// sieve is a Handler that counts small and large frames separately.
type sieve struct {
	*recorder
	small, large chan struct{}
}

func (s *sieve) FromReplica(_ int, frame []byte) {
	into := s.small
	if len(frame) > 128 {
		into = s.large
	}
	select {
	case into <- struct{}{}:
	default:
	}
}
