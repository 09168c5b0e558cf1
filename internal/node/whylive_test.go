package node

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"tagma/client/status"
	"tagma/crypto"
	"tagma/pbft/driver"
	"tagma/pbft/wire"
)

// apart drops the messages to some replicas, once it is told to. The links stay open, as they do if a network drops
// packets.
type apart struct {
	driver.Transport
	on   *atomic.Bool
	from []wire.ReplicaID
}

func (a apart) Send(to wire.ReplicaID, frame []byte) {
	if !a.on.Load() || !slices.Contains(a.from, to) {
		a.Transport.Send(to, frame)
	}
}

func TestWhy_NamesAPartitionThatLeavesLinksOpen(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	var on atomic.Bool
	for i := range b.nodes {
		others := []wire.ReplicaID{2, 3}
		if i >= 2 {
			others = []wire.ReplicaID{0, 1}
		}
		b.start(i, Options{Transport: func(under driver.Transport) driver.Transport { return apart{under, &on, others} }})
	}
	l := b.load()
	l.put(16, 8)
	b.level(4)
	on.Store(true)
	b.because(status.CausePartition, "these groups do not reach each other: replicas 0, 1 | replicas 2, 3; none has the 3")
}

// held is a journal that does not return from writing a turn while it is held.
type held struct {
	driver.Journal
	gate *atomic.Pointer[chan struct{}]
}

func (s held) Append(turn []wire.Record, anchor func() []wire.Record) error {
	if gate := s.gate.Load(); gate != nil {
		<-*gate
	}
	return s.Journal.Append(turn, anchor)
}

// healthy waits until there is no cause.
func (b *testbed) healthy() {
	b.t.Helper()
	defer func() {
		if b.t.Failed() {
			b.t.Logf("the last causes: %+v", b.causes())
		}
	}()
	b.until("nothing is wrong", func([]Report) bool { return len(b.causes()) == 0 })
}

func TestWhy_NamesADiskThatTakesLong(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	var gated atomic.Pointer[chan struct{}]
	for i := range b.nodes {
		opt := Options{}
		if i == 2 {
			opt.Ports = func(p driver.Ports) driver.Ports { p.Journal = held{p.Journal, &gated}; return p }
		}
		b.start(i, opt)
	}
	l := b.load()
	l.put(4, 8)
	gate := make(chan struct{})
	gated.Store(&gate)
	l.put(8, 8) // the other three replicas are a quorum
	b.until("the cause is the disk", func([]Report) bool {
		return slices.ContainsFunc(b.causes(), func(c status.Cause) bool {
			return c.Code == status.CauseDiskSlow && !c.Stops && slices.Equal(c.Replicas, []int{2})
		})
	})
	gated.Store(nil)
	close(gate)
	b.level(4)
	b.healthy()
}

// A replica that is behind by more than a window fetches the state as soon as another replica answers it.
func TestWhy_NamesAReplicaThatFetchesTheState(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	var on atomic.Bool
	for i := range b.nodes {
		b.start(i, Options{Transport: func(under driver.Transport) driver.Transport {
			return silencer{under, &on, but(wire.TypeData)}
		}})
	}
	l := b.load()
	l.put(8, 8)
	b.level(4)
	b.halt(3)
	l.put(200, 8) // four windows and more
	on.Store(true)
	b.start(3)
	b.because(status.CauseTransferring, "replica 3 is behind and")
	on.Store(false)
	b.level(4)
	b.healthy()
}

func TestWhy_NamesAKeyThatIsUsedTwice(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	b.load().put(4, 8)

	elsewhere := t.TempDir()
	file := *b.fresh.File
	file.Replicas = slices.Clone(file.Replicas)
	file.Replicas[3].Addresses = loopback(freePorts(t, 1)[0])
	home := filepath.Join(elsewhere, fmt.Sprintf("replica%d", 3))
	for _, err := range []error{
		file.Save(filepath.Join(elsewhere, "cluster.toml")), os.MkdirAll(home, 0o700),
		crypto.WriteKey(filepath.Join(home, KeyFile), b.fresh.Replicas[3]), MarkUnborn(home), DefaultSettings().Save(home),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	other, err := Open(home, Options{})
	if err != nil {
		t.Fatal(err)
	}
	second := b.run(other)
	sees := func(by string, so func(c status.Cause) bool) {
		b.until(by, func([]Report) bool { return slices.ContainsFunc(b.causes(), so) })
	}
	sees("another replica names the key", func(c status.Cause) bool {
		return c.Code == status.CauseKeyTwice && slices.Equal(c.Replicas, []int{3})
	})
	b.until("its own reports say so", func(rs []Report) bool { return rs[3].KeyTwice || second.Report().KeyTwice })
	second.stop()
	if err := <-second.done; err != nil {
		t.Error(err)
	}
}
