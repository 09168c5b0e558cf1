package check

import (
	"fmt"
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// This file has what the Monitor remembers of a replica: for each sequence number and each view a list of statements. A
// statement is something that the replica signed, or something that it holds. The rules in other files are functions
// over these lists.

// place is what a statement is about: a sequence number, a sequence number in a view, or only a view. Its kind is the
// type of the signed message, or one of the kinds below. Kind 0 stands for messages that may be signed twice.
type place struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// The kinds of statements about what a replica holds. No message has such a type.
const (
	kindAccepted  wire.Type = 0xf0 + iota // a pre-prepare that the replica has accepted, including those in new views
	kindPrepared                          // a prepared certificate
	kindDecided                           // a commit certificate
	kindBody                              // the body of a batch; the view does not matter
	kindRoot                              // the root of its own state; the view does not matter
	kindState                             // a state that it announced, or that a quorum announced; the view does not matter
	kindActivated                         // a new view that it entered
)

// statement is a digest at a place. At a restart the Monitor forgets statements that are not durable. There are two
// exceptions, which the replica must never contradict: statements of an earlier life, and statements that were sent
// before they were durable (D8.14).
type statement struct {
	place
	digest  wire.Digest
	durable bool
	left    bool     // the statement was sent before it was durable
	past    bool     // the replica must never contradict it, whatever its present journal holds
	stable  wire.Seq // for a view change: the stable checkpoint above which its certificates begin
}

type memo []statement

// placeOf returns the place that a message is about, and the digest that it names.
func placeOf(m wire.Message) (place, wire.Digest) {
	switch m := m.(type) {
	case *wire.PrePrepare:
		return place{wire.TypePrePrepare, m.View, m.Seq}, m.Digest
	case *wire.Prepare:
		return place{wire.TypePrepare, m.View, m.Seq}, m.Digest
	case *wire.Commit:
		return place{wire.TypeCommit, m.View, m.Seq}, m.Digest
	case *wire.Checkpoint:
		return place{wire.TypeCheckpoint, 0, m.Seq}, m.Digest
	case *wire.ViewChange:
		return place{wire.TypeViewChange, m.View, 0}, m.ContentDigest()
	case *wire.NewView:
		return place{wire.TypeNewView, m.View, 0}, fingerprint(m)
	default:
		return place{}, wire.Digest{}
	}
}

func (at place) String() string {
	if at.ofView() {
		return fmt.Sprintf("%v for view %d", at.kind, at.view)
	}
	return fmt.Sprintf("%v for (%d, %d)", at.kind, at.view, at.seq)
}

// ofView reports whether the place is a view alone.
func (at place) ofView() bool {
	return at.kind == wire.TypeViewChange || at.kind == wire.TypeNewView || at.kind == kindActivated
}

// votes reports whether a statement about this place is a vote in its view. A view change counts as a vote in the view
// that it asks for.
func (at place) votes() bool {
	return at.kind == wire.TypePrePrepare || at.kind == wire.TypePrepare || at.kind == wire.TypeCommit
}

// forbidden reports whether the place is of a kind that a recovery forbids (D8.7).
func (at place) forbidden() bool {
	return at.votes() || at.kind == wire.TypeViewChange || at.kind == wire.TypeNewView
}

// observed is what one replica wrote, signed and executed, over all its restarts.
type observed struct {
	id    wire.ReplicaID
	memos map[wire.Seq]*memo
	views map[wire.View]*memo
	floor wire.Seq     // everything about sequence numbers up to this one was dropped
	spare []*memo      // empty ones to use again
	near  [64]struct { // the lists that were used last, by sequence number modulo 64
		seq  wire.Seq
		memo *memo
	}

	spoken   spoken
	amnesiac bool     // the replica has forgotten what it signed and has not recovered yet
	mute     bool     // another replica has shown it that it has forgotten something
	silence  *silence // what this life must not sign; nil if it forgot nothing
	lost     wire.Seq // it may have lost statements up to this sequence number
	early    bool     // a durable record of its journal says that messages may leave before the journal holds them
	unsaid   wire.Seq // the highest sequence number of a vote that was sent and that a restart did not find in the journal
	unclean  wire.Seq // its last stop may have lost such votes up to this sequence number
	fetching bool     // it fetches a state from others, and must execute nothing
	told     told     // what its journal has shown

	now, durable standing // what the core knows, and what it would know after a restart

	handed  wire.Seq  // sequence number of the core's last Execute
	applied wire.Seq  // last batch that the state machine executed
	stable  wire.Seq  // low watermark at the last call of Standing; after a start, the durable one
	looked  bool      // Standing was called since the start
	sure    wire.View // the view at the last call of Standing in which a view was active
	highest wire.Seq  // the highest sequence number of a pre-prepare accepted since the last call of Standing
}

// standing is how far a replica has come.
type standing struct {
	left      wire.View // the highest view for which it sent a ViewChange
	entered   wire.View // the highest view that became active
	certified wire.Seq  // the highest stable checkpoint that a certificate proved
	installed mark      // the last state that it installed
}

// mark is a state, named by its sequence number. The zero value stands for no state.
type mark struct {
	seq    wire.Seq
	digest wire.Digest
}

func newObserved(id wire.ReplicaID) *observed {
	return &observed{
		id: id, memos: make(map[wire.Seq]*memo), views: make(map[wire.View]*memo),
		told: told{bodies: make(map[wire.Seq][]*wire.Body)},
	}
}

// keptViews is for how many views statements are remembered. Statements of an earlier life are remembered for ever.
const keptViews = 64

// about returns the list of statements about the sequence number or view of a place; nil if it was dropped.
func (o *observed) about(at place) *memo {
	switch {
	case o.forgot(at):
		return nil
	case at.ofView():
		k := o.views[at.view]
		if k == nil {
			k = new(memo)
			o.views[at.view] = k
			if len(o.views) > 2*keptViews {
				maps.DeleteFunc(o.views, func(v wire.View, k *memo) bool {
					return v+keptViews < at.view && !slices.ContainsFunc(*k, func(s statement) bool { return s.past })
				})
			}
		}
		return k
	}
	near := &o.near[at.seq%wire.Seq(len(o.near))]
	if near.seq == at.seq {
		return near.memo
	}
	k := o.memos[at.seq]
	if k == nil {
		k = new(make(memo, 0, 8)) // in the normal case a slot has this many statements
		if last := len(o.spare) - 1; last >= 0 {
			k, o.spare = o.spare[last], o.spare[:last]
		}
		o.memos[at.seq] = k
	}
	near.seq, near.memo = at.seq, k
	return k
}

// forgot reports whether the statements about a place were dropped.
func (o *observed) forgot(at place) bool { return !at.ofView() && at.seq <= o.floor }

// all returns all statements about a place's sequence number or view.
func (o *observed) all(at place) memo {
	if k := o.about(at); k != nil {
		return *k
	}
	return nil
}

// find returns the first statement about the sequence number or view of a place that meets a condition, or nil.
func (o *observed) find(at place, so func(*statement) bool) *statement {
	all := o.all(at)
	for i := range all {
		if so(&all[i]) {
			return &all[i]
		}
	}
	return nil
}

// of returns the first statement about a place, or nil.
func (o *observed) of(at place) *statement {
	return o.find(at, func(s *statement) bool { return s.place == at })
}

// has reports whether there is a statement with a digest at a place and, if durable is set, whether it is durable.
func (o *observed) has(at place, d wire.Digest, durable bool) bool {
	return o.find(at, func(s *statement) bool { return s.place == at && s.digest == d && (s.durable || !durable) }) != nil
}

// any does the same as has, for a statement in any view.
func (o *observed) any(kind wire.Type, seq wire.Seq, d wire.Digest, durable bool) bool {
	return o.find(place{kind: kind, seq: seq}, func(s *statement) bool {
		return s.kind == kind && s.digest == d && (s.durable || !durable)
	}) != nil
}

// saidBefore reports whether an earlier life made the statement.
func (o *observed) saidBefore(at place, d wire.Digest) bool {
	return o.find(at, func(s *statement) bool { return s.place == at && s.digest == d && s.past }) != nil
}

// note adds a statement and reports whether it is new. If the statement is known already, the call may make it durable.
// Statements about places that were dropped are ignored.
func (o *observed) note(now statement) (fresh bool) {
	k := o.about(now.place)
	if k == nil {
		return false
	}
	for i := range *k {
		if s := &(*k)[i]; s.place == now.place && s.digest == now.digest {
			s.durable = s.durable || now.durable
			return false
		}
	}
	*k = append(*k, now)
	return true
}

// holds notes what the replica has at a place, and reports whether that is new.
func (o *observed) holds(kind wire.Type, v wire.View, seq wire.Seq, d wire.Digest, durable bool) (fresh bool) {
	return o.note(statement{place: place{kind, v, seq}, digest: d, durable: durable})
}

// noteBody notes that the replica holds a body.
func (o *observed) noteBody(seq wire.Seq, b *wire.Body, durable bool) {
	if b != nil {
		o.holds(kindBody, 0, seq, b.Digest(), durable)
	}
}

// forget drops everything about sequence numbers up to and including this one.
func (o *observed) forget(below wire.Seq) {
	for ; o.floor < below; o.floor++ {
		if k := o.memos[o.floor+1]; k != nil {
			delete(o.memos, o.floor+1)
			*k = (*k)[:0]
			o.spare = append(o.spare, k)
		}
	}
}

// each calls do with every list of statements, in any order.
func (o *observed) each(do func(*memo)) {
	for _, k := range o.memos {
		do(k)
	}
	for _, k := range o.views {
		do(k)
	}
}

// restart drops what was not durable. The Monitor still remembers that votes were sent.
func (o *observed) restart(at, window wire.Seq) {
	if o.early {
		o.unclean = o.durable.certified + window
	}
	o.each(func(k *memo) {
		for i := range *k {
			if s := &(*k)[i]; s.left && !s.durable && !s.past {
				s.past, o.unsaid = true, max(o.unsaid, s.seq)
			}
		}
		*k = slices.DeleteFunc(*k, func(s statement) bool { return !s.durable && !s.past })
	})
	o.lost = max(o.lost, o.unsaid)
	o.now, o.stable, o.sure, o.looked = o.durable, o.durable.certified, 0, false
	o.mute, o.fetching, o.highest = false, false, 0
	o.handed, o.applied = at, at
}

// lose drops everything that was durable, and turns all signed statements into statements of an earlier life.
func (o *observed) lose() {
	o.restart(0, 0) // signed statements that were not durable and not sent are dropped
	o.each(func(k *memo) {
		*k = slices.DeleteFunc(*k, func(s statement) bool { return s.kind >= kindAccepted && s.kind != kindState })
		for i := range *k {
			s := &(*k)[i]
			s.past = s.kind != kindState
			s.durable = !s.past
		}
	})
	o.now, o.durable = standing{}, standing{}
	o.stable, o.silence = 0, nil
}
