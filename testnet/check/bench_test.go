package check

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// call is one call of a monitor, for the benchmark.
type call func(m *Monitor)

// ordered returns the monitor's calls for one slot at one of four replicas: for the nine events of pbft's BenchmarkStep, and
// for the records, messages and executions between them.
func ordered(s *story, n wire.Seq) []call {
	r := request(uint64(n))
	b := body(r)
	d := b.Digest()
	const id = wire.ReplicaID(3)
	pp := s.prePrepare(0, n, b)
	prepare, commit := &wire.Prepare{Seq: n, Digest: d, Replica: id}, &wire.Commit{Seq: n, Digest: d, Replica: id}
	pcert, ccert := s.prepared(0, n, d, 1, 2), s.committed(0, n, d, 0, 1, 2)
	at := port.Position{Active: true, Executed: n - 1, Stable: (n - 1) / 4 * 4}
	got := func(from wire.ReplicaID, m wire.Message, effects ...port.Effect) call {
		ev := port.Received{From: port.Source{Replica: from, Loopback: from == id}, Msg: wire.Own(m)}
		return func(m *Monitor) {
			m.Stepped(id, ev, effects)
			m.Standing(id, at)
		}
	}
	votes := func(sign func(id wire.ReplicaID) wire.Message) (all []wire.Message) {
		for by := range wire.ReplicaID(4) {
			m := sign(by)
			s.sign(m)
			all = append(all, m)
		}
		return all
	}
	ps := votes(func(by wire.ReplicaID) wire.Message { return &wire.Prepare{Seq: n, Digest: d, Replica: by} })
	cs := votes(func(by wire.ReplicaID) wire.Message { return &wire.Commit{Seq: n, Digest: d, Replica: by} })
	replies := answers(n, b)
	calls := []call{
		got(0, pp, port.Persist{Record: &wire.Accepted{PrePrepare: pp}}, port.Broadcast{Msg: prepare}),
		func(m *Monitor) {
			m.Durable(id, &wire.Accepted{PrePrepare: pp})
			m.Durable(id, &wire.Sent{Msg: prepare})
			m.Left(id, prepare)
		},
		got(1, ps[1]), got(id, ps[3]),
		got(2, ps[2], port.Persist{Record: &wire.Prepared{Cert: pcert}}, port.Broadcast{Msg: commit}),
		func(m *Monitor) {
			m.Durable(id, &wire.Prepared{Cert: pcert})
			m.Durable(id, &wire.Sent{Msg: commit})
			m.Left(id, commit)
		},
		got(0, cs[0]), got(1, cs[1]), got(id, cs[3]),
		func(m *Monitor) {
			m.Stepped(id, port.Received{From: port.Source{Replica: 2}, Msg: wire.Own(cs[2])},
				s.executing(n, b, ccert))
			m.Durable(id, &wire.Committed{Cert: ccert})
			m.Applied(id, n, b, replies)
			m.Stepped(id, port.Executed{Seq: n, Replies: replies}, nil)
		},
	}
	if n%4 == 0 {
		cert := &wire.Stable{Cert: s.stable(n, d, 0, 1, 2)}
		calls = append(calls, func(m *Monitor) {
			m.Root(id, n, d)
			m.Stepped(id, port.Snapshotted{Seq: n, Digest: d}, []port.Effect{port.Note{Record: cert}})
			m.Durable(id, cert)
		})
	}
	return calls
}

// BenchmarkMonitor measures what the monitor adds to the nine events of one slot at one backup. Compare it with nine times
// pbft's BenchmarkStep.
func BenchmarkMonitor(b *testing.B) {
	t := &testing.T{}
	s := newStory(t, nil)
	const slots = 128 // as many as in BenchmarkStep
	var all []call
	for n := range wire.Seq(slots) {
		all = append(all, ordered(s, n+1)...)
	}
	only := func(id wire.ReplicaID) bool { return id == 3 }
	b.ReportAllocs()
	events := 0
	for b.Loop() {
		m := NewMonitor(s.cfg, only, func([]wire.Claim) bool { return true })
		for _, c := range all {
			c(m)
		}
		if v := m.Violation(); v != nil {
			b.Fatal(v)
		}
		events += 9 * slots
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
}

// The memory of a monitor does not grow with the length of the run.
func TestMonitor_ForgetsWhatNobodyComesBackTo(t *testing.T) {
	s := newStory(t, nil)
	m := NewMonitor(s.cfg, func(id wire.ReplicaID) bool { return id == 3 }, func([]wire.Claim) bool { return true })
	for n := range wire.Seq(2000) {
		for _, c := range ordered(s, n+1) {
			c(m)
		}
	}
	if v := m.Violation(); v != nil {
		t.Fatal(v)
	}
	o := m.replicas[3]
	if most := int(7 * s.cfg.LogWindow); len(o.memos) > most || len(m.order.slots) > most {
		t.Errorf("%d and %d sequence numbers are remembered, more than %d", len(o.memos), len(m.order.slots), most)
	}
	if c := m.clients.session(request(1).ID); len(c.above) > 0 || len(c.executed) > 40 {
		t.Errorf("%d numbers and %d results of a session are remembered", len(c.above), len(c.executed))
	}
}
