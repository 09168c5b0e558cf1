package check

import (
	"tagma/pbft/wire"
)

// observed is what one replica wrote, signed and executed, over all its restarts.
type observed struct {
	id    wire.ReplicaID
	memos map[wire.Seq]*memo
	floor wire.Seq // everything up to here is forgotten
	spare []*memo
	near  [64]struct { // that were looked up, by what is left of their sequence numbers
		seq  wire.Seq
		memo *memo
	}

	viewChanges map[wire.View]*statement
	newViews    map[wire.View]*statement
	activated   map[wire.View]*statement

	spoken                 spoken
	pastChanges, pastViews map[wire.View]statements // of earlier lives
	amnesiac               bool                     // it has forgotten what it signed, and not recovered yet
	mute                   bool                     // it was shown that it has forgotten something
	silence                *silence                 // of this life; nil if it forgot nothing
	lost                   wire.Seq                 // up to here it may have held what it has lost
	fetching               bool                     // a state from others; nothing is executed
	told                   told                     // by its journal

	now, durable standing // what the core knows, and what a restart would leave of it

	handed  wire.Seq  // the core's last Execute
	applied wire.Seq  // the state machine's last batch
	stable  wire.Seq  // low watermark at the last look, at a start what is durable of it
	looked  bool      // since the start
	sure    wire.View // the view at the last look, if it was active
	// Of the pre-prepares accepted since the last look: the watermark at the first, and the highest sequence number.
	accepted struct{ above, highest wire.Seq }
}

// standing is how far a replica has come.
type standing struct {
	left      wire.View // the highest view it asked for by a ViewChange
	entered   wire.View // the highest view that became active
	certified wire.Seq  // the highest stable checkpoint that a certificate proved
	installed mark      // the last state that it was given
}

// memo is what a replica said and wrote about one sequence number.
type memo struct {
	said     [4]statements // pre-prepare, prepare, commit, checkpoint
	accepted statements    // pre-prepares, those of new views included
	prepared statements    // prepared certificates
	decided  statements    // commit certificates
	bodies   statements    // held; views do not matter
	root     statements    // the own state; views do not matter
	states   statements    // that it said to be so, or that a quorum did; views do not matter
}

// statement is a digest for a view. One that is not durable is forgotten at a restart, unless an earlier life said it.
type statement struct {
	view    wire.View
	digest  wire.Digest
	durable bool
	past    bool
	stable  wire.Seq // of a view change: where what it shows begins
}

type statements []statement

func newObserved(id wire.ReplicaID) *observed {
	return &observed{
		id: id, memos: make(map[wire.Seq]*memo), viewChanges: make(map[wire.View]*statement),
		newViews: make(map[wire.View]*statement), activated: make(map[wire.View]*statement),
		told: told{bodies: make(map[wire.Seq][]*wire.Body)},
	}
}

// at returns the memo of a sequence number, nil if that was forgotten.
func (o *observed) at(seq wire.Seq) *memo {
	if seq <= o.floor {
		return nil
	}
	near := &o.near[seq%wire.Seq(len(o.near))]
	if near.seq == seq {
		return near.memo
	}
	k := o.memos[seq]
	if k == nil {
		k = &memo{}
		if last := len(o.spare) - 1; last >= 0 {
			k, o.spare = o.spare[last], o.spare[:last]
		}
		o.memos[seq] = k
	}
	near.seq, near.memo = seq, k
	return k
}

// forget drops what lies at or below a sequence number.
func (o *observed) forget(below wire.Seq) {
	for ; o.floor < below; o.floor++ {
		if k := o.memos[o.floor+1]; k != nil {
			delete(o.memos, o.floor+1)
			k.each(func(s *statements) { *s = (*s)[:0] })
			o.spare = append(o.spare, k)
		}
	}
}

func (k *memo) each(do func(*statements)) {
	for i := range k.said {
		do(&k.said[i])
	}
	for _, s := range []*statements{&k.accepted, &k.prepared, &k.decided, &k.bodies, &k.root, &k.states} {
		do(s)
	}
}

// restart forgets what was not durable.
func (o *observed) restart(at wire.Seq) {
	for _, k := range o.memos {
		k.each(func(s *statements) {
			kept := (*s)[:0]
			for _, x := range *s {
				if x.durable || x.past {
					kept = append(kept, x)
				}
			}
			*s = kept
		})
	}
	for _, views := range []map[wire.View]*statement{o.viewChanges, o.newViews, o.activated} {
		for v, s := range views {
			if !s.durable {
				delete(views, v)
			}
		}
	}
	o.now, o.stable, o.sure, o.looked = o.durable, o.durable.certified, 0, false
	o.mute, o.fetching = false, false
	o.handed, o.applied = at, at
	o.accepted.above, o.accepted.highest = 0, 0
}

// of returns what was said for a view, or nil.
func (s statements) of(view wire.View) *statement {
	for i := range s {
		if s[i].view == view {
			return &s[i]
		}
	}
	return nil
}

// has reports whether a digest stands there for a view, durably if that is asked.
func (s statements) has(view wire.View, d wire.Digest, durable bool) bool {
	for i := range s {
		if x := &s[i]; x.view == view && x.digest == d && (x.durable || !durable) {
			return true
		}
	}
	return false
}

// any is has for whatever view.
func (s statements) any(d wire.Digest, durable bool) bool {
	for i := range s {
		if x := &s[i]; x.digest == d && (x.durable || !durable) {
			return true
		}
	}
	return false
}

// ofThePast reports whether an earlier life said it.
func (s statements) ofThePast(view wire.View, d wire.Digest) bool {
	at := s.of(view)
	return at != nil && at.past && at.digest == d
}

// note adds a statement, or makes one durable that stands there.
func (s *statements) note(view wire.View, d wire.Digest, durable bool) {
	for i := range *s {
		if x := &(*s)[i]; x.view == view && x.digest == d {
			x.durable = x.durable || durable
			return
		}
	}
	*s = append(*s, statement{view: view, digest: d, durable: durable})
}

// noteView is note for statements that a view has one of.
func noteView(views map[wire.View]*statement, now statement) {
	view := now.view
	if s := views[view]; s != nil {
		if s.digest == now.digest {
			s.durable = s.durable || now.durable
		}
		return
	}
	views[view] = &now
	if len(views) > 2*keptViews {
		for v := range views {
			if v+keptViews < view {
				delete(views, v)
			}
		}
	}
}

// keptViews is for how many views what was said about them is remembered.
const keptViews = 64
