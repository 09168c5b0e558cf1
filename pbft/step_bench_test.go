package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// BenchmarkStep measures the core of a backup in a cluster of four: the pre-prepare, prepares and commits of a slot,
// without signatures, journal and execution. One operation is one message.
func BenchmarkStep(b *testing.B) {
	l := newLab(b, 4, 3, func(cfg *wire.Config) { cfg.CheckpointInterval, cfg.LogWindow = 64, 256 })
	const slots = 128 // within the window, so that nothing is dropped
	var events []port.Event
	add := func(from wire.ReplicaID, m wire.Message) {
		events = append(events, port.Received{From: port.Source{Replica: from, Loopback: from == 3}, Msg: wire.Own(m)})
	}
	for s := wire.Seq(1); s <= slots; s++ {
		body := l.batch(uint64(s), "op")
		d := body.Digest()
		add(0, l.prePrepare(0, s, body))
		for _, id := range []wire.ReplicaID{1, 3, 2} {
			add(id, l.prepare(0, s, d, id))
		}
		for _, id := range []wire.ReplicaID{0, 1, 3, 2} {
			add(id, l.commit(0, s, d, id))
		}
	}
	b.ReportAllocs()
	i := len(events)
	for b.Loop() {
		if i == len(events) {
			b.StopTimer()
			l.log = nil
			r, err := New(&l.cfg, nil, Applied{})
			if err != nil {
				b.Fatal(err)
			}
			l.r, i = r, 0
			l.r.Step(port.Tick{Mono: time.Second, Wall: 1 << 61})
			b.StartTimer()
		}
		l.r.Step(events[i])
		i++
	}
}
