package node

import (
	"errors"
	"path/filepath"
	"testing"

	"tagma/internal/cluster"
	"tagma/pbft/wire"
)

// reconfigure changes the protocol parameters of a stopped cluster.
func (b *testbed) reconfigure(p cluster.Protocol) {
	b.t.Helper()
	b.fresh.File.Protocol = p
	if err := b.fresh.File.Save(filepath.Join(b.dir, "cluster.toml")); err != nil {
		b.t.Fatal(err)
	}
}

// I9: if the window is made smaller than what the journals hold, replicas would forget requests whose replies clients
// may hold. So the start refuses it.
func TestI9_AWindowThatIsTooSmallForTheJournalIsRefused(t *testing.T) {
	t.Parallel()
	before := cluster.Protocol{CheckpointInterval: 32, LogWindow: 64}
	b := newTestbed(t, 4, before)
	b.startAll()
	l := b.load()
	l.put(32+30, 100)
	b.level(4)
	b.stopAll()
	for _, p := range []cluster.Protocol{{CheckpointInterval: 4, LogWindow: 8}, {CheckpointInterval: 48, LogWindow: 96}} {
		b.reconfigure(p)
		if err := b.refused(3, "set both back"); !errors.Is(err, wire.ErrOtherWindow) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	// This window has room for what the journals hold.
	b.reconfigure(cluster.Protocol{CheckpointInterval: 16, LogWindow: 32})
	b.startAll()
	again := b.load()
	again.acks = l.acks
	again.check(100)
	b.level(4)
}
