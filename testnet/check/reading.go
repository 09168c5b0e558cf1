package check

import (
	"maps"
	"slices"

	"tagma/pbft/wire"
)

// told is what all readings of a replica's journal have shown together.
type told struct {
	life   wire.Life                 // the life of the journal that was read last
	moved  wire.View                 // the highest view to which the replica moved in this life
	bodies map[wire.Seq][]*wire.Body // bodies of batches not known to have committed
	looked wire.Seq                  // the requests of batches up to this sequence number were checked
	lost   bool                      // the replica lost an earlier life's statements, and its journal does not show that yet
}

// reading is one pass over a journal. A segment begins with an anchor, which repeats older votes and names the view at
// its time, so it is unknown whether a vote in the anchor was made before or after the move to that view. Therefore a
// move counts only from the first record that must be younger than the move, and votes of unknown age are accepted.
// Records that follow an anchor may be slightly older than the anchor, so they are compared with what earlier segments
// showed.
type reading struct {
	*observed
	m     *Monitor
	heads int
	head  wire.View // view in the segment's anchor
	left  wire.View // new votes in views below this one must not follow
	later wire.View // the value of left at the beginning of the next segment
	once  wire.View // the highest view to which the replica moved according to an earlier reading

	view   wire.View // highest view in the records so far
	since  wire.View // view at the beginning of the segment
	low    wire.Seq  // low watermark by the records so far
	before wire.Seq  // low watermark at the beginning of the segment
	top    wire.Seq  // last executed sequence number

	missing   map[wire.Seq]bool // sequence numbers below top that are not known to be executed
	announced wire.Seq          // last own checkpoint
}

func newReading(m *Monitor, o *observed) *reading {
	return &reading{observed: o, m: m, later: o.told.moved, once: o.told.moved, missing: make(map[wire.Seq]bool)}
}

// Read takes all records in a correct replica's journal at one moment, in order. A journal shrinks while its replica
// runs, so it may be read again and again: what was read before is remembered.
//
// Restarts, crashes and the anchors that repeat older votes show in the records, so the caller need not report them. So
// does a new life, whose journal has another name (D8.2); statements of the former life still bind the replica.
func (m *Monitor) Read(id wire.ReplicaID, records []wire.Record) {
	o := m.of(id)
	if o == nil {
		return
	}
	m.read = true
	in, repeated := newReading(m, o), -1 // where an anchor may repeat the last own view change
	for i, r := range records {
		if head, is := r.(*wire.Head); is {
			repeated = i + in.segment(head, records[i:])
		}
		in.walk(r, i == repeated)
		m.Durable(id, r)
	}
	in.ends()
}

// Restored says that a replica's home was replaced by an older copy, which the replica may not know. Its journal may
// then differ from what was read before, but the replica must not contradict the votes that were read (I2).
func (m *Monitor) Restored(id wire.ReplicaID) {
	if o := m.of(id); o != nil {
		newReading(m, o).afresh()
		o.told.life, o.told.lost = wire.Life{}, false
	}
}

// afresh begins to read another journal. Its records need not continue those that were read before. The votes that were
// read before still count.
func (in *reading) afresh() {
	in.lose()
	in.told.moved = 0
	*in = *newReading(in.m, in.observed)
}

// segment handles the beginning of a segment: the head, and after it the recovery of the life and a stable checkpoint,
// if the anchor has them. It returns the number of these records. The low watermark must not be lower than before (I6).
func (in *reading) segment(head *wire.Head, records []wire.Record) (anchored int) {
	// A segment of the first format names no life.
	if named := head.Life != (wire.Life{}); named && head.Life != in.told.life {
		if in.told.life != (wire.Life{}) {
			in.afresh()
			in.told.lost = in.spoken.seq > 0 || in.spoken.view > 0
		}
		in.told.life = head.Life
	}
	in.whole()
	in.before, in.since = in.low, in.view
	in.enters(head.View, "begins a segment in")
	in.begin(head.View)
	anchored = 1
	if anchored < len(records) {
		if _, recovers := records[anchored].(*wire.Recovering); recovers {
			anchored++
		}
	}
	if anchored == len(records) { // the anchor is not complete yet
		return anchored
	}
	low := wire.Seq(0)
	if stable, is := records[anchored].(*wire.Stable); is {
		low = stable.Cert.Seq
		anchored++
	}
	if low < in.before {
		in.m.fail(i6, in.id, "the low watermark of replica %d falls from %d to %d", in.id, in.before, low)
	}
	return anchored
}

// begin begins a segment in a view.
func (in *reading) begin(view wire.View) {
	if in.heads > 0 {
		in.left = max(in.left, in.later)
	}
	in.heads++
	in.head = view
}

// walk checks a record against those before it: I2, I6, I7, I8, I13, I16 and I19. Only the order of records tells when
// a vote was made, so a stable checkpoint counts from its record on.
func (in *reading) walk(rec wire.Record, repeated bool) {
	switch r := rec.(type) {
	case *wire.Stable:
		in.marks(r.Cert.Seq)
	case *wire.Installed:
		in.installs(&r.Cert)
	case *wire.Accepted:
		in.accepted(r.PrePrepare)
	case *wire.Fetched:
		in.hold(r.Seq, r.Body)
	case *wire.Activated:
		in.enters(r.NewView.View, "activates")
		in.moves(r.NewView.View)
		in.low = max(in.low, highestStable(r.NewView).Seq)
	case *wire.Certified:
		in.hold(r.Cert.Seq, r.Body)
		in.executed(r.Cert.Seq, r.Cert.Digest)
	case *wire.Committed:
		in.executed(r.Cert.Seq, r.Cert.Digest)
	case *wire.Sent:
		switch m := r.Msg.(type) {
		case *wire.PrePrepare:
			in.accepted(m)
		case *wire.ViewChange:
			if !repeated && !in.knows(place{kind: wire.TypeViewChange, view: m.View}) {
				in.enters(m.View, "asks for")
			}
			in.view = max(in.view, m.View) // an anchor may repeat the view change before the last
			in.moves(m.View)
		case *wire.Checkpoint:
			in.announced = max(in.announced, m.Seq)
		case *wire.NewView:
			in.moves(m.View)
			in.low = max(in.low, highestStable(m).Seq)
		default: // speaks checks other messages
		}
		in.speaks(r.Msg)
	case *wire.Recovering: // a journal of another life begins with it
		if in.silence == nil && !in.told.lost { // the journal read before had no name
			head := in.head
			in.afresh()
			in.begin(head)
			in.view, in.since = head, head
		}
		in.told.lost = false
	case *wire.Head, *wire.Prepared, *wire.Void, *wire.Witness: // these need no comparison with the records before them
	case *wire.Early, *wire.Clean: // these say how much the journal may lack
	}
}

// moves records that the replica has left all views below this one.
func (in *reading) moves(v wire.View) {
	in.told.moved = max(in.told.moved, v)
	if v > in.head {
		in.left = max(in.left, v)
	} else {
		in.later = max(in.later, v)
	}
}

// knows reports whether the replica made a statement about a place in this life.
func (in *reading) knows(at place) bool {
	return in.find(at, func(s *statement) bool { return s.place == at && !s.past }) != nil
}

// speaks checks that a statement is no new vote in a view that was left (I2), and is not forbidden by a recovery (I19).
// A pre-prepare of an earlier life is an exception: other replicas may have sent it back, and then an anchor repeats it.
func (in *reading) speaks(msg wire.Message) {
	at, d := placeOf(msg)
	again := at.ofView() && in.knows(at)
	if at.votes() {
		again = in.forgot(at) || in.of(at) != nil
		if !again && at.view < in.left {
			in.m.fail(i2, in.id, "replica %d signed a %v after it had moved to view %d", in.id, at, in.left)
		}
	}
	switch {
	case !at.forbidden() || in.silence == nil && !in.told.lost:
	case in.told.lost && !again:
		in.m.fail(i19, in.id, "replica %d signs a %v in another life, and has no recovery", in.id, at)
	case in.told.lost:
	case at.kind == wire.TypePrePrepare &&
		(in.forgot(at) || in.has(at, d, false) || in.has(place{kindAccepted, at.view, at.seq}, d, false)):
	default:
		if why := in.silence.breaks(at.view, in.low); in.m.breaks(i19, why != "") {
			in.m.fail(i19, in.id, "replica %d signs a %v %s", in.id, at, why)
		}
	}
}

// enters checks I7: no record of a lower view is younger than one of a higher view.
func (in *reading) enters(v wire.View, how string) {
	if in.m.breaks(i7, v < in.since) {
		in.m.fail(i7, in.id, "replica %d %s view %d after view %d", in.id, how, v, in.since)
	}
	in.view = max(in.view, v)
}

// whole checks I8 at the end of a segment: everything below the last announced checkpoint was executed. Batches above
// it may have been executed without being written yet.
func (in *reading) whole() {
	least := in.top
	for left := range in.missing {
		least = min(least, left)
	}
	if len(in.missing) > 0 && least <= in.announced {
		in.m.fail(i8, in.id, "replica %d left out %d, and announced the state after %d", in.id, least, in.announced)
	}
}

// ends checks I7 between two readings: a journal that is read again must not end before what it showed earlier.
func (in *reading) ends() {
	in.whole()
	if in.m.breaks(i7, in.view < in.once) {
		in.m.fail(i7, in.id, "the journal of replica %d ends in view %d, and once said view %d", in.id, in.view, in.once)
	}
}

// marks checks I6: the low watermark is at a checkpoint. Its record is a note, which may be written late.
func (in *reading) marks(seq wire.Seq) {
	if k := in.m.cfg.CheckpointInterval; in.m.breaks(i6, k > 0 && seq%k != 0) {
		in.m.fail(i6, in.id, "the low watermark of replica %d is %d, which is no checkpoint", in.id, seq)
	}
	in.low = max(in.low, seq)
}

// accepted checks I6: a pre-prepare lies between the watermarks.
func (in *reading) accepted(p *wire.PrePrepare) {
	in.hold(p.Seq, p.Body)
	if in.m.breaks(i6, p.Seq <= in.before || in.heads > 0 && p.Seq > in.low+in.m.cfg.LogWindow) {
		in.m.fail(i6, in.id, "replica %d accepts a pre-prepare for %d, and its low watermark is %d", in.id, p.Seq, in.low)
	}
}

// installs checks I13 for a state that the replica installed: a quorum certified it (counted again as I11), and it is
// the same state as everywhere. Nothing up to it may be executed any more.
func (in *reading) installs(cert *wire.StableCert) {
	s := in.m.order.at(cert.Seq)
	if in.m.breaks(i13, s != nil && s.state.given && s.state.digest != cert.Digest) {
		in.m.fail(i13, in.id, "replica %d was given the state %v after %d, and replica %d has %v",
			in.id, cert.Digest, cert.Seq, s.state.by, s.state.digest)
	}
	in.low, in.top = max(in.low, cert.Seq), max(in.top, cert.Seq)
	maps.DeleteFunc(in.missing, func(left wire.Seq, _ bool) bool { return left <= cert.Seq })
}

// executed records an execution. An anchor repeats executions. It may show one before the records after it show the
// executions of lower batches. After a start, the batches above the last state are executed again.
func (in *reading) executed(seq wire.Seq, d wire.Digest) {
	delete(in.missing, seq)
	if seq > in.top {
		in.m.checked(i8)
		for left := in.top + 1; in.top > 0 && left < seq; left++ {
			in.missing[left] = true
		}
		in.top = seq
	}
	if in.m.holds == nil || seq <= in.told.looked {
		return
	}
	in.told.looked = seq
	for _, b := range in.told.bodies[seq] {
		if b.Digest() == d {
			in.m.genuine(in.id, seq, b)
			break
		}
	}
	delete(in.told.bodies, seq)
}

// hold keeps a body until its sequence number is executed.
func (in *reading) hold(seq wire.Seq, b *wire.Body) {
	same := func(known *wire.Body) bool { return known.Digest() == b.Digest() }
	if b != nil && seq > in.told.looked && !slices.ContainsFunc(in.told.bodies[seq], same) {
		in.told.bodies[seq] = append(in.told.bodies[seq], b)
	}
}
