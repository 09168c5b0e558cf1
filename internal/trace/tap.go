package trace

import (
	"slices"
	"sync"
	"sync/atomic"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Tap makes the events of one replica and passes them to listeners. While there is none, no event is made.
type Tap struct {
	cluster string
	replica int
	quorum  int
	now     func() int64 // microseconds
	names   Names
	syncing int64 // when the sync under way began; 0: it is not known

	mu   sync.Mutex // held to change who listens
	hear atomic.Pointer[[]*listener]
}

type listener struct{ hear func(Event) }

// NewTap returns a tap for a replica, or for None, with one listener if hear is not nil. Listeners are called on the
// goroutine that calls the tap; in a node there are several such goroutines.
func NewTap(replica, quorum int, now func() int64, hear func(Event)) *Tap {
	t := &Tap{replica: replica, quorum: quorum, now: now}
	if hear != nil {
		t.Listen(hear)
	}
	return t
}

// Name makes the tap name clients by their numbers. It must be called before the first event.
func (t *Tap) Name(names Names) { t.names = names }

// Of sets the name of the cluster for all events, if there are several clusters. It must be called before the first event.
func (t *Tap) Of(cluster string) { t.cluster = cluster }

// Listen adds a listener, until stop is called. A call of hear that began before may end after stop.
func (t *Tap) Listen(hear func(Event)) (stop func()) {
	l := &listener{hear}
	t.change(func(all []*listener) []*listener { return append(all, l) })
	return func() {
		t.change(func(all []*listener) []*listener {
			return slices.DeleteFunc(all, func(other *listener) bool { return other == l })
		})
	}
}

// change replaces the list of listeners by a changed copy: nil if it is empty.
func (t *Tap) change(how func([]*listener) []*listener) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*listener
	if now := t.hear.Load(); now != nil {
		all = slices.Clone(*now)
	}
	if all = how(all); len(all) == 0 {
		t.hear.Store(nil)
		return
	}
	t.hear.Store(&all)
}

// Heard reports whether there is a listener. A nil tap has none.
func (t *Tap) Heard() bool { return t != nil && t.hear.Load() != nil }

// Emit stamps an event and passes it to the listeners. Without listeners it drops the event. Code that makes many events
// should call Heard before it makes one.
func (t *Tap) Emit(e Event) {
	if t == nil {
		return
	}
	all := t.hear.Load()
	if all == nil {
		return
	}
	*e.stamp() = Stamp{At: t.now(), Cluster: t.cluster, Replica: t.replica, Event: e.Kind()}
	if m := of(e); m != nil {
		m.names = t.names
	}
	for _, l := range *all {
		l.hear(e)
	}
}

// A Tap is an observer of a driver. Each of the following methods makes the event of its name.

// Received makes an event.
func (t *Tap) Received(source port.Source, m wire.Message) {
	from := int(source.Replica)
	if source.Client {
		from = None
	}
	t.Emit(&Received{From: from, Message: Say(m)})
}

// Dropped makes an event.
func (t *Tap) Dropped(m wire.Message, why port.Reason) { t.Emit(&Dropped{Message: Say(m), Why: why}) }

// Proposing makes none: PrePrepared follows.
func (t *Tap) Proposing(wire.Seq) {}

// PrePrepared makes an event.
func (t *Tap) PrePrepared(v wire.View, s wire.Seq, d wire.Digest, requests int) {
	t.Emit(&Phase{Phase: PrePrepared, View: v, Seq: s, Digest: Digest(d), Requests: requests, Votes: 1, Quorum: t.quorum})
}

// Prepared makes an event.
func (t *Tap) Prepared(v wire.View, s wire.Seq, d wire.Digest, votes int) {
	t.Emit(&Phase{Phase: Prepared, View: v, Seq: s, Digest: Digest(d), Votes: votes, Quorum: t.quorum})
}

// Committed makes an event.
func (t *Tap) Committed(v wire.View, s wire.Seq, d wire.Digest, votes, requests int) {
	t.Emit(&Phase{Phase: Committed, View: v, Seq: s, Digest: Digest(d), Requests: requests, Votes: votes, Quorum: t.quorum})
}

// Executing makes none: Executed follows.
func (t *Tap) Executing(wire.Seq, int, int) {}

// Executed makes an event.
func (t *Tap) Executed(s wire.Seq, requests int) { t.Emit(&Executed{Seq: s, Requests: requests}) }

// Snapshotted makes an event.
func (t *Tap) Snapshotted(s wire.Seq, d wire.Digest) {
	t.Emit(&Checkpoint{Step: Taken, Seq: s, Digest: Digest(d)})
}

// Stable makes an event.
func (t *Tap) Stable(s wire.Seq, d wire.Digest) {
	t.Emit(&Checkpoint{Step: Stable, Seq: s, Digest: Digest(d)})
}

// Suspected makes an event.
func (t *Tap) Suspected(v wire.View, cause string) {
	t.Emit(&View{Step: Suspected, View: v, Cause: cause})
}

// AskedFor makes an event.
func (t *Tap) AskedFor(v wire.View, suspects []wire.ReplicaID, cause string) {
	e := &View{Step: AskedFor, View: v, Cause: cause}
	for _, id := range suspects {
		e.Suspects = append(e.Suspects, int(id))
	}
	t.Emit(e)
}

// Entered makes an event.
func (t *Tap) Entered(v wire.View, cause string) { t.Emit(&View{Step: Entered, View: v, Cause: cause}) }

// Transferring makes an event.
func (t *Tap) Transferring(s wire.Seq) { t.Emit(&Transfer{Step: Begun, Seq: s}) }

// Transferred makes an event.
func (t *Tap) Transferred(s wire.Seq) { t.Emit(&Transfer{Step: Installed, Seq: s}) }

// Resumed makes an event.
func (t *Tap) Resumed(s wire.Seq) { t.Emit(&Transfer{Step: Resumed, Seq: s}) }

// Starving makes an event.
func (t *Tap) Starving() { t.Emit(&Transfer{Step: Starving}) }

// Damaged makes an event.
func (t *Tap) Damaged() { t.Emit(&Transfer{Step: Damaged}) }

// Syncing records when a sync begins.
func (t *Tap) Syncing() { t.syncing = t.now() }

// Synced makes an event.
func (t *Tap) Synced(records int) {
	e := &Synced{Records: records}
	if t.syncing > 0 { // somebody listened when it began
		e.Took = t.now() - t.syncing
	}
	t.syncing = 0
	t.Emit(e)
}

// Accused makes an event.
func (t *Tap) Accused(e wire.Evidence) {
	t.Emit(&Evidence{Against: int(e.Replica), Proves: string(e.Kind), First: Say(e.First), Second: Say(e.Second)})
}

// Diverged makes an event.
func (t *Tap) Diverged(own wire.Digest, cert wire.StableCert) {
	t.Emit(&Diverged{Seq: cert.Seq, Own: Digest(own), Stable: Digest(cert.Digest)})
}

// Split makes an event.
func (t *Tap) Split(s wire.Seq, says []wire.Digest) {
	split := &Split{Seq: s}
	for id, d := range says {
		if d != (wire.Digest{}) {
			split.Votes = append(split.Votes, Opinion{id, Digest(d)})
		}
	}
	t.Emit(split)
}

// Forgot makes an event.
func (t *Tap) Forgot(said string, witness wire.ReplicaID) {
	t.Emit(&Forgot{Said: said, Witness: int(witness)})
}
