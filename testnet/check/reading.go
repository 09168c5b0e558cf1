package check

import (
	"tagma/pbft/wire"
)

// told is what a replica's journal has told in all readings.
type told struct {
	life   wire.Life                 // of the journal that was read last
	moved  wire.View                 // the highest view it moved to in this life
	bodies map[wire.Seq][]*wire.Body // of what is not known to have committed
	looked wire.Seq                  // the requests up to here were looked at
	lost   bool                      // an earlier life's statements, and does not say so yet
}

// reading is a pass over one journal. A segment begins with an anchor, which repeats older votes and names the view of
// its moment: whether a vote in it was made before or after the move to that view cannot be told. So a move counts from
// the first record that must be younger, and votes of unknown age are let pass. Likewise the records behind an anchor may
// be a little older, so what they say is compared with what stood in earlier segments.
type reading struct {
	*observed
	m     *Monitor
	heads int
	head  wire.View // of the segment's anchor
	left  wire.View // no new vote in a view below this one may follow
	later wire.View // becomes left with the next segment
	once  wire.View // the highest view that it moved to by an earlier reading

	view   wire.View // highest one that the records so far name
	since  wire.View // what it was when the segment began
	low    wire.Seq  // watermark by the records so far
	before wire.Seq  // low watermark when the segment began
	behind position  // what the next record follows
	top    wire.Seq  // last one executed

	missing   map[wire.Seq]bool // not known to be executed, below top
	announced wire.Seq          // last own checkpoint
}

func newReading(m *Monitor, o *observed) *reading {
	return &reading{observed: o, m: m, later: o.told.moved, once: o.told.moved, missing: make(map[wire.Seq]bool)}
}

// position is where a record stands in an anchor, which begins with a head, the recovery of its life and a
// stable checkpoint if there are such, and the last own view change if no view is active.
type position int

const (
	nothing position = iota
	aHead
	aWatermark
)

// Read takes all records that a correct replica's journal holds at one moment, in order. A journal shrinks while its
// replica runs, so it may be read as often as one likes; what was read before is remembered and read again without harm.
//
// Restarts, crashes and the anchors that repeat older votes are all in the records: nothing needs to be told of them.
// So is a new life, whose journal begins with another name (D8.2): what the replica said before still binds it.
func (m *Monitor) Read(id wire.ReplicaID, records []wire.Record) {
	o := m.of(id)
	if o == nil {
		return
	}
	m.read = true
	in := newReading(m, o)
	for _, r := range records {
		in.lives(r)
		in.walk(r)
		if sent, is := r.(*wire.Sent); is {
			in.speaks(sent.Msg)
		}
		m.Durable(id, r)
		in.moves(r)
	}
	in.ends()
}

// Restored takes that a replica's home was put back from an older copy, of which it need not know: its journal does not
// have to lead on from what was read before. What was said binds it all the same (I2).
func (m *Monitor) Restored(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		newReading(m, o).afresh()
		o.told.life, o.told.lost = wire.Life{}, false
	}
}

// afresh starts the reading of another journal: nothing in it has to lead on from what was read, and what was signed
// stands.
func (in *reading) afresh() {
	in.lose()
	in.told.moved = 0
	*in = *newReading(in.m, in.observed)
}

// begin starts a segment.
func (in *reading) begin(view wire.View) {
	if in.heads > 0 {
		in.left = max(in.left, in.later)
	}
	in.heads++
	in.head = view
}

// moves notes that the replica left all views below one.
func (in *reading) moves(rec wire.Record) {
	var v wire.View
	switch r := rec.(type) {
	case *wire.Head:
		in.begin(r.View)
		return
	case *wire.Activated:
		v = r.NewView.View
	case *wire.Sent:
		at, _ := placeOf(r.Msg)
		if at.votes() || !at.forbidden() {
			return
		}
		v = at.view
	default:
		return
	}
	in.told.moved = max(in.told.moved, v)
	if v > in.head {
		in.left = max(in.left, v)
	} else {
		in.later = max(in.later, v)
	}
}

// lives is I19 for a record: a journal of another life begins with the recovery, which lies above all that earlier ones
// said. When a vote was made is told by the order of the records alone, so a stable checkpoint counts from its record on.
func (in *reading) lives(rec wire.Record) {
	switch r := rec.(type) {
	case *wire.Head:
		if r.Life == (wire.Life{}) || r.Life == in.told.life { // one of the first format has no name
			return
		}
		if in.told.life != (wire.Life{}) {
			in.afresh()
			in.told.lost = in.spoken.seq > 0 || in.spoken.view > 0
		}
		in.told.life = r.Life
	case *wire.Recovering:
		if in.silence == nil && !in.told.lost { // what was read before had no name
			head, behind := in.head, in.behind
			in.afresh()
			in.begin(head)
			in.view, in.since, in.behind = head, head, behind
		}
		in.told.lost = false
	default: // belongs to the life
	}
}

// speaks judges a statement by its place: there is no new vote in a view that was left (I2), and none that a recovery
// forbids (I19), but for a pre-prepare of an earlier life that came back from others, which an anchor repeats.
func (in *reading) speaks(msg wire.Message) {
	at, d := placeOf(msg)
	again := in.viewChanges[at.view] != nil && at.kind == wire.TypeViewChange || in.newViews[at.view] != nil && at.kind == wire.TypeNewView
	k := in.at(at.seq)
	if at.votes() {
		again = k == nil || k.of(at.kind).of(at.view) != nil
		if !again && at.view < in.left {
			in.m.fail(i2, in.id, "replica %d signed a %s in view %d, sequence number %d, after it had moved to view %d",
				in.id, at.kind, at.view, at.seq, in.left)
		}
	}
	switch {
	case !at.forbidden() || in.silence == nil && !in.told.lost:
	case in.told.lost && !again:
		in.m.fail(i19, in.id, "replica %d signs a %v for view %d in another life, and has no recovery", in.id, at.kind, at.view)
	case in.told.lost || at.kind == wire.TypePrePrepare && (k == nil || k.accepted.has(at.view, d, false) || k.of(at.kind).has(at.view, d, false)):
	default:
		in.m.checked(i19)
		if why := in.silence.breaks(at.view, in.low); why != "" {
			in.m.fail(i19, in.id, "replica %d signs a %v for view %d %s", in.id, at.kind, at.view, why)
		}
	}
}
