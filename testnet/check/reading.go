package check

import (
	"tagma/pbft/wire"
)

// voter is what one replica's journal has told so far.
type voter struct {
	id        wire.ReplicaID
	committed map[wire.Seq]wire.Digest
	states    map[wire.Seq]wire.Digest
	signed    map[place]wire.Digest
	moved     wire.View                 // the highest view it moved to in this life
	bodies    map[wire.Seq][]*wire.Body // of what is not known to have committed
	looked    wire.Seq                  // the requests up to here were looked at

	life    wire.Life // of the journal that was read last
	spoken  spoken
	asked   map[wire.View]wire.Seq   // by its view changes of this life: their stable checkpoints
	past    map[wire.View]statements // view changes of earlier lives
	silence *silence                 // of this life; nil if it forgot nothing
	heard   map[place]wire.Digest    // own pre-prepares of an earlier life that came back from others
	lost    bool                     // an earlier life's statements, and does not say so yet
}

func newVoter(id wire.ReplicaID) *voter {
	return &voter{
		id: id, committed: make(map[wire.Seq]wire.Digest), states: make(map[wire.Seq]wire.Digest),
		signed: make(map[place]wire.Digest), bodies: make(map[wire.Seq][]*wire.Body),
		asked: make(map[wire.View]wire.Seq), past: make(map[wire.View]statements),
		heard: make(map[place]wire.Digest),
	}
}

// reading is a pass over one journal. A segment begins with an anchor, which repeats older votes and names the view of
// its moment: whether a vote in it was made before or after the move to that view cannot be told. So a move counts from
// the first record that must be younger, and votes of unknown age are let pass.
type reading struct {
	*voter
	heads int
	head  wire.View // of the segment's anchor
	left  wire.View // no new vote in a view below this one may follow
	later wire.View // becomes left with the next segment
	once  wire.View // the highest view that it moved to by an earlier reading

	view   wire.View // highest one that the records so far name
	since  wire.View // what it was when the segment began
	stable wire.Seq  // low watermark by the records so far
	before wire.Seq  // low watermark when the segment began
	behind position  // what the next record follows
	top    wire.Seq  // last one executed

	missing   map[wire.Seq]bool // not known to be executed, below top
	announced wire.Seq          // last own checkpoint
}

func newReading(v *voter) *reading {
	return &reading{voter: v, later: v.moved, once: v.moved, missing: make(map[wire.Seq]bool)}
}

// position is where a record stands in an anchor, which begins with a head, the recovery of its life and a
// stable checkpoint if there are such, and the last own view change if no view is active.
type position int

const (
	nothing position = iota
	aHead
	aWatermark
)

// place is what a replica may say only one thing about.
type place struct {
	kind wire.Type
	view wire.View
	seq  wire.Seq
}

// begin starts a segment.
func (in *reading) begin(view wire.View) {
	if in.heads > 0 {
		in.left = max(in.left, in.later)
	}
	in.heads++
	in.head = view
}

// move notes that the replica left all views below v.
func (in *reading) move(v wire.View) {
	in.moved = max(in.moved, v)
	if v > in.head {
		in.left = max(in.left, v)
	} else {
		in.later = max(in.later, v)
	}
}

// votesIn reports whether a message of this kind is a vote in its view. A view change is one for it.
func votesIn(kind wire.Type) bool {
	return kind == wire.TypePrePrepare || kind == wire.TypePrepare || kind == wire.TypeCommit
}

func placeOf(m wire.Message) place {
	at := place{kind: wire.TypeOf(m)}
	switch m := m.(type) {
	case *wire.PrePrepare:
		at.view, at.seq = m.View, m.Seq
	case *wire.Prepare:
		at.view, at.seq = m.View, m.Seq
	case *wire.Commit:
		at.view, at.seq = m.View, m.Seq
	case *wire.Checkpoint:
		at.seq = m.Seq
	case *wire.ViewChange:
		at.view = m.View
	case *wire.NewView:
		at.view = m.View
	default: // journalled by nobody
	}
	return at
}
