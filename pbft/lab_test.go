package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lab is one replica under test. Its peers exist as keys only: a test builds what they say and looks at every effect.
type lab struct {
	*wireCluster
	t   testing.TB
	r   *Replica
	now time.Duration
	log []wire.Record // what was made durable

	wrong wire.Digest // of its own states, if they are not those of correct replicas
	busy  bool        // its executor does not get to an end
}

func newLab(t testing.TB, n int, self wire.ReplicaID, change ...func(*wire.Config)) *lab {
	t.Helper()
	l := &lab{t: t, wireCluster: &wireCluster{cfg: clusterConfig(n)}}
	l.cfg.Self = self
	for _, f := range change {
		f(&l.cfg)
	}
	l.restart()
	return l
}

// restart boots the replica from what it made durable, at the initial state.
func (l *lab) restart() []port.Effect {
	l.t.Helper()
	r, err := New(&l.cfg, l.log, Applied{})
	if err != nil {
		l.t.Fatal(err)
	}
	l.r = r
	return l.wait(10 * time.Millisecond)
}

// step gives the core an event and plays the driver: it signs, keeps records, returns broadcasts over the loopback and
// reports executions and snapshots. It returns all effects in order.
func (l *lab) step(ev port.Event) []port.Effect {
	var all []port.Effect
	for queue := []port.Event{ev}; len(queue) > 0; queue = queue[1:] {
		for _, e := range slices.Clone(l.r.Step(queue[0])) {
			all = append(all, e)
			switch e := e.(type) {
			case port.Persist:
				l.log = append(l.log, e.Record)
			case port.Broadcast:
				l.signBy(e.Msg, l.cfg.Self)
				if wire.Durable(e.Msg) {
					l.log = append(l.log, &wire.Sent{Msg: e.Msg})
				}
				queue = append(queue, port.Received{From: port.Source{Replica: l.cfg.Self, Loopback: true}, Msg: wire.Own(e.Msg)})
			case port.Execute:
				if !l.busy {
					queue = append(queue, l.execute(e))
				}
			case port.Snapshot:
				if l.busy {
					continue
				}
				own := stateAfter(e.Seq)
				if l.wrong != (wire.Digest{}) {
					own = l.wrong
				}
				queue = append(queue, port.Snapshotted{Seq: e.Seq, Digest: own})
			}
		}
	}
	return all
}

// stateAfter is the digest that correct replicas of a lab have after a sequence number.
func stateAfter(s wire.Seq) wire.Digest { return wire.Digest{0x57, byte(s)} }

func (l *lab) execute(e port.Execute) port.Event {
	done := port.Executed{Seq: e.Seq}
	for _, r := range e.Body.Requests {
		done.Replies = append(done.Replies, &wire.Reply{
			ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: e.Seq, Results: [][]byte{{1}},
		})
	}
	return done
}

// signBy signs as a replica, unless the message is a request or has no signature.
func (l *lab) signBy(m wire.Message, by wire.ReplicaID) wire.Message {
	wire.Sign(&l.cfg, m, wireSign(l.cfg.Members[by]))
	return m
}

// from delivers a message that passes Check and whose signatures hold.
func (l *lab) from(by wire.ReplicaID, m wire.Message) []port.Effect {
	l.t.Helper()
	v, err := wire.Verify(&l.cfg, m, wireHolds)
	if err != nil {
		l.t.Fatalf("the test's own message is refused: %v", err)
	}
	return l.step(port.Received{From: port.Source{Replica: by}, Msg: v})
}

// fromClient delivers a request over its client's link.
func (l *lab) fromClient(r *wire.Request) []port.Effect {
	return l.step(port.Received{From: port.Source{Client: true}, Msg: wire.Own(r)})
}

// wait lets time pass in one tick.
func (l *lab) wait(d time.Duration) []port.Effect {
	l.now += d
	return l.step(port.Tick{Mono: l.now, Wall: int64(l.now) + 1_700_000_000_000_000_000})
}

// accept has the primary of view v pre-prepare a body.
func (l *lab) propose(v wire.View, s wire.Seq, b *wire.Body) []port.Effect {
	l.t.Helper()
	return l.from(l.cfg.Primary(v), l.prePrepare(v, s, b))
}

// commitAll delivers the proposal and everybody's votes for it, so that the replica executes it.
func (l *lab) commitAll(v wire.View, s wire.Seq, b *wire.Body) []port.Effect {
	l.t.Helper()
	all := l.propose(v, s, b)
	for id := range wire.ReplicaID(l.cfg.N()) {
		if id != l.cfg.Self && id != l.cfg.Primary(v) {
			all = append(all, l.from(id, l.prepare(v, s, b.Digest(), id))...)
		}
	}
	for id := range wire.ReplicaID(l.cfg.N()) {
		if id != l.cfg.Self {
			all = append(all, l.from(id, l.commit(v, s, b.Digest(), id))...)
		}
	}
	return all
}

// suspected delivers f+1 suspects of other replicas, so that the replica moves to view v.
func (l *lab) suspected(v wire.View) []port.Effect {
	l.t.Helper()
	var all []port.Effect
	for id, k := wire.ReplicaID(0), 0; k < l.cfg.Weak(); id++ {
		if id != l.cfg.Self {
			all = append(all, l.from(id, l.suspect(v-1, id))...)
			k++
		}
	}
	return all
}

func (l *lab) suspect(v wire.View, by wire.ReplicaID) *wire.Suspect {
	m := &wire.Suspect{View: v, Replica: by}
	l.signBy(m, by)
	return m
}

// newViewFrom builds the new view that follows from these view changes.
func (l *lab) newViewFrom(v wire.View, vcs ...*wire.ViewChange) *wire.NewView {
	m := &wire.NewView{View: v}
	for _, vc := range vcs {
		m.ViewChanges = append(m.ViewChanges, *vc)
	}
	for _, d := range wire.Choose(m.ViewChanges) {
		m.Proposals = append(m.Proposals, wire.Proposal{Digest: d})
	}
	l.signBy(m, l.cfg.Primary(v))
	return m
}

// enter brings the replica into view v with a new view in which nothing was prepared.
func (l *lab) enter(v wire.View) []port.Effect {
	l.t.Helper()
	var vcs []*wire.ViewChange
	for id := range wire.ReplicaID(l.cfg.Quorum()) {
		vcs = append(vcs, l.viewChange(v, id, wire.StableCert{}))
	}
	return l.from(l.cfg.Primary(v), l.newViewFrom(v, vcs...))
}

// batch is a body with one request whose operation is op.
func (l *lab) batch(t uint64, op string) *wire.Body {
	return &wire.Body{Time: 1_700_000_000_000_000_000, Requests: []*wire.Request{l.request(t, op)}}
}

// all returns the effects of one type.
func all[T port.Effect](effects []port.Effect) []T {
	var found []T
	for _, e := range effects {
		if x, ok := e.(T); ok {
			found = append(found, x)
		}
	}
	return found
}

// broadcasts returns the broadcast messages of one type.
func broadcasts[T wire.Message](effects []port.Effect) []T {
	var found []T
	for _, e := range all[port.Broadcast](effects) {
		if m, ok := e.Msg.(T); ok {
			found = append(found, m)
		}
	}
	return found
}

// sends returns the messages of one type that were sent to one replica.
func sends[T wire.Message](effects []port.Effect) []T {
	var found []T
	for _, e := range all[port.Send](effects) {
		if m, ok := e.Msg.(T); ok {
			found = append(found, m)
		}
	}
	return found
}

// wantDrop checks that an input was dropped for this reason and did nothing else.
func wantDrop(t testing.TB, effects []port.Effect, why port.Reason) {
	t.Helper()
	if len(effects) != 1 {
		t.Fatalf("%d effects, want one drop: %v", len(effects), effects)
	}
	if d, ok := effects[0].(port.Dropped); !ok || d.Why != why {
		t.Fatalf("effect %#v, want a drop because of %q", effects[0], why)
	}
}

// wantCount checks how many of something there are.
func wantCount[T any](t testing.TB, list []T, want int, what string) {
	t.Helper()
	if len(list) != want {
		t.Fatalf("%d %s, want %d", len(list), what, want)
	}
}

const lacksEverything = wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits

// decoded is a copy of a message as it comes over a link.
func decoded[M wire.Message](t *testing.T, m M) M {
	t.Helper()
	copied, err := wire.Decode(wire.Encode(m))
	if err != nil {
		t.Fatal(err)
	}
	return copied.(M)
}
