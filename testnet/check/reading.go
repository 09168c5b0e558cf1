package check

import "tagma/pbft"

// voter is what one replica's journal has told so far.
type voter struct {
	id        pbft.ReplicaID
	committed map[pbft.Seq]pbft.Digest
	states    map[pbft.Seq]pbft.Digest
	signed    map[place]pbft.Digest
	moved     pbft.View                 // the highest view it moved to in this life
	bodies    map[pbft.Seq][]*pbft.Body // of what is not known to have committed
	looked    pbft.Seq                  // the requests up to here were looked at

	life    pbft.Life // of the journal that was read last
	spoken  spoken
	asked   map[pbft.View]pbft.Seq   // by its view changes of this life: their stable checkpoints
	past    map[pbft.View]statements // view changes of earlier lives
	silence *silence                 // of this life; nil if it forgot nothing
	heard   map[place]pbft.Digest    // own pre-prepares of an earlier life that came back from others
	lost    bool                     // an earlier life's statements, and does not say so yet
}

func newVoter(id pbft.ReplicaID) *voter {
	return &voter{
		id: id, committed: make(map[pbft.Seq]pbft.Digest), states: make(map[pbft.Seq]pbft.Digest),
		signed: make(map[place]pbft.Digest), bodies: make(map[pbft.Seq][]*pbft.Body),
		asked: make(map[pbft.View]pbft.Seq), past: make(map[pbft.View]statements),
		heard: make(map[place]pbft.Digest),
	}
}

// reading is a pass over one journal. A segment begins with an anchor, which repeats older votes and names the view of
// its moment: whether a vote in it was made before or after the move to that view cannot be told. So a move counts from
// the first record that must be younger, and votes of unknown age are let pass.
type reading struct {
	*voter
	heads int
	head  pbft.View // of the segment's anchor
	left  pbft.View // no new vote in a view below this one may follow
	later pbft.View // becomes left with the next segment
	once  pbft.View // the highest view that it moved to by an earlier reading

	view   pbft.View // highest one that the records so far name
	since  pbft.View // what it was when the segment began
	stable pbft.Seq  // low watermark by the records so far
	before pbft.Seq  // low watermark when the segment began
	behind position  // what the next record follows
	top    pbft.Seq  // last one executed

	missing   map[pbft.Seq]bool // not known to be executed, below top
	announced pbft.Seq          // last own checkpoint
}

func newReading(v *voter) *reading {
	return &reading{voter: v, later: v.moved, once: v.moved, missing: make(map[pbft.Seq]bool)}
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
	kind pbft.Type
	view pbft.View
	seq  pbft.Seq
}

// begin starts a segment.
func (in *reading) begin(view pbft.View) {
	if in.heads > 0 {
		in.left = max(in.left, in.later)
	}
	in.heads++
	in.head = view
}

// move notes that the replica left all views below v.
func (in *reading) move(v pbft.View) {
	in.moved = max(in.moved, v)
	if v > in.head {
		in.left = max(in.left, v)
	} else {
		in.later = max(in.later, v)
	}
}

// votesIn reports whether a message of this kind is a vote in its view. A view change is one for it.
func votesIn(kind pbft.Type) bool {
	return kind == pbft.TypePrePrepare || kind == pbft.TypePrepare || kind == pbft.TypeCommit
}

func placeOf(m pbft.Message) place {
	at := place{kind: pbft.TypeOf(m)}
	switch m := m.(type) {
	case *pbft.PrePrepare:
		at.view, at.seq = m.View, m.Seq
	case *pbft.Prepare:
		at.view, at.seq = m.View, m.Seq
	case *pbft.Commit:
		at.view, at.seq = m.View, m.Seq
	case *pbft.Checkpoint:
		at.seq = m.Seq
	case *pbft.ViewChange:
		at.view = m.View
	case *pbft.NewView:
		at.view = m.View
	default: // journalled by nobody
	}
	return at
}
