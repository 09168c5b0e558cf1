package check

import (
	"fmt"
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// What the Monitor remembers of a replica is a list of statements for each sequence number and for each view: what the
// replica signed, and what it holds. The rules are functions over these lists.

// place is the subject of a statement: a sequence number, in a view if views matter, or a view alone. Kind is the type
// of the message that was signed, or one of the kinds below; 0 stands for messages that may be sent twice.
type place struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// Kinds of statements about what a replica holds, besides the types of messages that it signs. No message has these types.
const (
	kindAccepted  wire.Type = 0xf0 + iota // a pre-prepare to which the slot is bound, including those in new views
	kindPrepared                          // a prepared certificate
	kindDecided                           // a commit certificate
	kindBody                              // the body of a batch; views do not matter
	kindRoot                              // the root of its own state; views do not matter
	kindState                             // a state that it announced, or that a quorum announced; views do not matter
	kindActivated                         // a new view that it entered
)

// statement is a digest at a place. At a restart the Monitor forgets statements that are not durable, except those of an
// earlier life, and those that were sent before they were durable: both bind the replica for ever (D8.14).
type statement struct {
	place
	digest  wire.Digest
	durable bool
	left    bool     // it was sent before it was durable
	past    bool     // it binds the replica, whatever the present journal holds
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

// votes reports whether a statement there is a vote in its view. A view change counts as a vote for its view.
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
	floor wire.Seq     // everything about sequence numbers up to here was forgotten
	spare []*memo      // empty ones to use again
	near  [64]struct { // the memos that were looked up last, by sequence number modulo 64
		seq  wire.Seq
		memo *memo
	}

	spoken   spoken
	amnesiac bool     // it has forgotten what it signed, and has not recovered yet
	mute     bool     // another replica showed it that it has forgotten something
	silence  *silence // of this life; nil if it forgot nothing
	lost     wire.Seq // it may have lost statements up to here
	early    bool     // a durable record of its journal says that messages may leave before the journal holds them
	unsaid   wire.Seq // the highest sequence number of a sent vote that a restart did not find
	unclean  wire.Seq // its last stop may have lost such votes up to here
	fetching bool     // it fetches a state from others, and must execute nothing
	told     told     // what its journal has shown

	now, durable standing // what the core knows, and what would be left of it after a restart

	handed  wire.Seq  // sequence number of the core's last Execute
	applied wire.Seq  // last batch that the state machine executed
	stable  wire.Seq  // low watermark at the last Standing; after a start, the durable one
	looked  bool      // Standing was called since the start
	sure    wire.View // the view at the last Standing with an active view
	highest wire.Seq  // the highest accepted pre-prepare since the last Standing
}

// standing is how far a replica has come.
type standing struct {
	left      wire.View // the highest view for which it sent a ViewChange
	entered   wire.View // the highest view that became active
	certified wire.Seq  // the highest stable checkpoint that a certificate proved
	installed mark      // the last state that it installed
}

// mark is a state by its sequence number; the zero value is none.
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

// keptViews is for how many views statements are remembered. Statements of an earlier life bind for ever.
const keptViews = 64

// about returns all statements about a place's sequence number or view, nil if that was forgotten.
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
		k = new(make(memo, 0, 8)) // the number in a slot's normal case
		if last := len(o.spare) - 1; last >= 0 {
			k, o.spare = o.spare[last], o.spare[:last]
		}
		o.memos[at.seq] = k
	}
	near.seq, near.memo = at.seq, k
	return k
}

// forgot reports whether statements about a place were forgotten.
func (o *observed) forgot(at place) bool { return !at.ofView() && at.seq <= o.floor }

// all returns all statements about a place's sequence number or view.
func (o *observed) all(at place) memo {
	if k := o.about(at); k != nil {
		return *k
	}
	return nil
}

// find returns the first statement about a place's sequence number or view that satisfies a condition, or nil.
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

// any is has for any view.
func (o *observed) any(kind wire.Type, seq wire.Seq, d wire.Digest, durable bool) bool {
	return o.find(place{kind: kind, seq: seq}, func(s *statement) bool {
		return s.kind == kind && s.digest == d && (s.durable || !durable)
	}) != nil
}

// saidBefore reports whether an earlier life made the statement.
func (o *observed) saidBefore(at place, d wire.Digest) bool {
	return o.find(at, func(s *statement) bool { return s.place == at && s.digest == d && s.past }) != nil
}

// note adds a statement and reports whether it is new. A known statement may become durable by this. A statement about
// a place that was forgotten is not kept.
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

// forget drops what lies at or below a sequence number.
func (o *observed) forget(below wire.Seq) {
	for ; o.floor < below; o.floor++ {
		if k := o.memos[o.floor+1]; k != nil {
			delete(o.memos, o.floor+1)
			*k = (*k)[:0]
			o.spare = append(o.spare, k)
		}
	}
}

// each calls do with all statements about one sequence number or view, for all of them, in any order.
func (o *observed) each(do func(*memo)) {
	for _, k := range o.memos {
		do(k)
	}
	for _, k := range o.views {
		do(k)
	}
}

// restart forgets what was not durable. Votes that had been sent are still remembered as said.
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

// lose makes what was durable void, and turns what was signed into statements of an earlier life.
func (o *observed) lose() {
	o.restart(0, 0) // what was not durable does not count as said
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
