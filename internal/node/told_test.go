package node

import (
	"testing"

	"tagma/client/status"

	"tagma/pbft"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// damaged returns a replica whose state differs from that of the others.
type damaged struct {
	*pbft.Replica
	by byte
}

// Step implements driver.Core.
func (d damaged) Step(ev port.Event) []port.Effect {
	effects := d.Replica.Step(ev)
	for _, e := range effects {
		if b, is := e.(port.Broadcast); is {
			if c, is := b.Msg.(*wire.Checkpoint); is {
				c.Digest[0] ^= d.by
			}
		}
	}
	return effects
}

func damage(by byte) Options {
	return Options{Replace: func(_ *wire.Config, r *pbft.Replica, _ func([]byte) wire.Signature) driver.Core {
		return damaged{r, by}
	}}
}

// K1: if replicas disagree on the state at a checkpoint, the log, the health and a metric say so. They say so again
// after a restart.
func TestK1_ReplicasThatDisagreeOnAStateAreToldOf(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	var first, second lines
	b.start(0, first.options())
	b.start(1)
	b.start(2, damage(1))
	b.start(3, damage(2))
	l := b.load()
	l.put(12, 100)
	const health = "replicas disagree on the state after 8: the machine is not deterministic, or disks are damaged"
	told := func(log *lines) {
		t.Helper()
		b.until("every replica says so", func(rs []Report) bool {
			for _, r := range rs {
				if r.Split != 8 || r.Health != health {
					return false
				}
			}
			return true
		})
		if v := b.scraped(0); v["tagma_split_checkpoint"] != 8 || v["tagma_ready"] != 0 {
			t.Errorf("metrics: split at %v, ready %v", v["tagma_split_checkpoint"], v["tagma_ready"])
		}
		b.until("the log says who says what", func([]Report) bool {
			return log.contain("level=ERROR") && log.contain("seq=8") && log.contain("by 0 1,") && log.contain("by 2") && log.contain("by 3")
		})
	}
	told(&first)
	b.because(status.CauseSplit, "after 8:", " by replicas 0, 1")
	b.halt(0)
	b.start(0, second.options())
	told(&second)
}

// twice is evidence that a replica signed two contradicting messages, with its signature or without one.
func (b *testbed) twice(by wire.ReplicaID, signed bool) wire.Evidence {
	cfg, err := b.fresh.File.Config(0)
	if err != nil {
		b.t.Fatal(err)
	}
	pair := [2]*wire.Prepare{}
	for i := range pair {
		pair[i] = &wire.Prepare{View: 1, Seq: 7, Digest: wire.Digest{byte(i + 1)}, Replica: by}
		if signed {
			wire.Sign(&cfg, pair[i], func(m []byte) wire.Signature { return b.fresh.Replicas[by].Sign(m) })
		}
	}
	return wire.Equivocated(by, pair[0], pair[1])
}

// E1: a proof of misbehaviour is valid for ever. A replica that has one says so after every restart, in its report and
// as a metric. A file in the directory that proves nothing convicts nobody.
func TestE1_AConvictionSurvivesARestart(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small).withAdmin()
	b.start(0)
	b.nodes[0].witness.Accused(b.twice(2, true))
	b.nodes[0].witness.Accused(b.twice(3, false))
	b.halt(0)
	b.start(0)
	if c := b.nodes[0].Report().Convicted; len(c) != 1 || c[0] != (ConvictedEntry{Replica: 2, Kind: string(wire.Equivocation)}) {
		t.Errorf("convicted after the restart: %+v", c)
	}
	if v := b.scraped(0); v[`tagma_convicted{peer="2"}`] != 1 || v[`tagma_convicted{peer="3"}`] != 0 {
		t.Errorf("metrics: %v and %v", v[`tagma_convicted{peer="2"}`], v[`tagma_convicted{peer="3"}`])
	}
	b.nodes[0].witness.Accused(b.twice(2, true))
	if k := len(b.nodes[0].witness.files[2]); k != 1 {
		t.Errorf("one proof has %d files", k)
	}
}
