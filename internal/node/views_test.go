package node

import (
	"testing"
	"time"

	"tagma/internal/cluster"
	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

var small = cluster.Protocol{CheckpointInterval: 8, LogWindow: 32}

// mute is a replica that orders nothing and starts no view when it is the primary. As a backup it is correct.
type mute struct{ driver.Core }

func (m mute) Step(ev port.Event) []port.Effect {
	var kept []port.Effect
	for _, e := range m.Core.Step(ev) {
		if b, ok := e.(port.Broadcast); ok {
			switch b.Msg.(type) {
			case *wire.PrePrepare, *wire.NewView, *wire.Heartbeat:
				continue
			}
		}
		kept = append(kept, e)
	}
	return kept
}

func muted() Options {
	return Options{Replace: func(_ *wire.Config, r *pbft.Replica, _ func([]byte) wire.Signature) driver.Core { return mute{r} }}
}

func TestTwoOfSevenDownKeepOrdering(t *testing.T) {
	t.Parallel()
	patient := small // so that a slow machine does not make a replica leave the view
	patient.ViewTimeout = cluster.Duration{Duration: 10 * time.Second}
	b := newTestbed(t, 7, patient)
	b.startAll()
	l := b.load()
	l.put(10, 8)
	b.halt(5)
	b.halt(6)
	l.put(20, 8)
	b.level(5)
	b.until("no view was left", func(rs []Report) bool { return rs[0].View == 0 && rs[4].View == 0 })
}

func TestTwoConsecutiveMutePrimariesOfSevenAreReplaced(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 7, small)
	for i := range 7 {
		if i < 2 {
			b.start(i, muted())
		} else {
			b.start(i)
		}
	}
	l := b.load()
	l.put(12, 8)
	b.level(7)
	b.until("replica 2 orders", func(rs []Report) bool { return rs[3].View >= 2 && rs[3].Primary >= 2 })
}

func TestEachPrimaryOfFourMayCrashInTurn(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(10, 8)
	b.halt(0)
	l.put(10, 8)
	b.start(0)
	b.level(4)
	b.halt(1)
	l.put(10, 8)
	b.level(3)
	b.until("a view after both", func(rs []Report) bool { return rs[0].View >= 2 && rs[0].Active })
	l.check(8)
}

// One replica is down for good. Another one restarts and is needed at once.
func TestD7_ARestartedReplicaTakesPartAgainWhenItIsNeeded(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(10, 8)
	b.halt(3)
	b.halt(2)
	b.start(2)
	l.put(10, 8)
	b.level(3)
}

func TestN7_ARestartedReplicaCatchesUpWithinTheWindowAndTakesPart(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(5, 8)
	b.halt(3)
	l.put(25, 8)
	b.start(3)
	b.level(4)
	b.halt(2) // now it is needed
	l.put(10, 8)
	b.level(3)
}
