package pbft

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// lab is one replica under test. Of its peers there are only the keys: the test makes their messages and checks every
// effect of the replica.
type lab struct {
	*wireCluster
	t   testing.TB
	r   *Replica
	now time.Duration
	log []wire.Record // what was made durable

	wrong wire.Digest // added to the digests of its states, to make them wrong
	busy  bool        // its executor never finishes a batch
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

// step gives the core an event and does what a driver does: it signs messages, keeps records, returns broadcasts over
// the loopback and reports executions and snapshots. It returns all effects in order.
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

// stateAfter returns the digest of the state of correct replicas after a sequence number.
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

// signBy signs a message as a replica, unless it is a request or a type without signature.
func (l *lab) signBy(m wire.Message, by wire.ReplicaID) wire.Message {
	wire.Sign(&l.cfg, m, wireSign(l.cfg.Members[by]))
	return m
}

// from delivers a message of a replica, which must pass Check and have valid signatures.
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

// propose makes the primary of view v pre-prepare a body.
func (l *lab) propose(v wire.View, s wire.Seq, b *wire.Body) []port.Effect {
	l.t.Helper()
	return l.from(l.cfg.Primary(v), l.prePrepare(v, s, b))
}

// commitAll delivers a proposal and the votes of all replicas for it, so that the replica executes it.
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

// suspected delivers f+1 Suspects of other replicas, so that the replica moves to view v.
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

// newViewFrom builds the NewView that follows from these view changes.
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

// wantDrop checks that an input was dropped for this reason and had no other effect.
func wantDrop(t testing.TB, effects []port.Effect, why port.Reason) {
	t.Helper()
	if len(effects) != 1 {
		t.Fatalf("%d effects, want one drop: %v", len(effects), effects)
	}
	if d, ok := effects[0].(port.Dropped); !ok || d.Why != why {
		t.Fatalf("effect %#v, want a drop because of %q", effects[0], why)
	}
}

// wantCount checks how many elements a list has.
func wantCount[T any](t testing.TB, list []T, want int, what string) {
	t.Helper()
	if len(list) != want {
		t.Fatalf("%d %s, want %d", len(list), what, want)
	}
}

const lacksEverything = wire.LacksProposal | wire.LacksPrepares | wire.LacksCommits

// decoded returns a copy of a message as it arrives over a link.
func decoded[M wire.Message](t *testing.T, m M) M {
	t.Helper()
	copied, err := wire.Decode(wire.Encode(m))
	if err != nil {
		t.Fatal(err)
	}
	return copied.(M)
}
