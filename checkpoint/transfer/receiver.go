package transfer

import (
	"fmt"
	"iter"
	"time"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Stage is the store read at the version that is transferred, including what it already holds at that version (X4). If
// a method fails, the receiver is of no more use.
type Stage interface {
	// Tree is the tree over everything that Scan would yield. Every Write changes it at once.
	Tree() *merkle.Tree
	// Write sets and deletes keys at the version. It may be called within a loop over Scan.
	Write([]statemachine.Write) error
	// Scan yields every key once, in any order. It may or may not yield keys that are written during the scan.
	Scan() iter.Seq2[[]byte, error]
}

// Options bound a receiver. A zero field stands for its default.
type Options struct {
	InFlight int // unanswered questions to one donor; default 4
	// Hedge is the age from which on an unanswered question is also put to another donor, if nothing else is left to
	// ask for. The default 0 means never.
	Hedge    time.Duration
	MaxValue int // length of the longest possible value in bytes; default 64 MiB
	// FirstID is the ID of the first question to each donor. Successive receivers must not use the same IDs. 0 says
	// that there was no earlier receiver, whose answers could still arrive.
	FirstID uint32
}

// maxQueue is the length of the queue from which on each donor is asked for only one path at a time.
const maxQueue = 1 << 16

// Receiver turns a stage into the state with a certified root. Only one goroutine at a time may use it.
type Receiver struct {
	root  [32]byte
	stage Stage
	own   *merkle.Snapshot // of the stage when the transfer began; later writes do not change it
	opt   Options

	queue   []task // last in, first out; the lowest path is on top
	asked   int    // number of tasks in unanswered questions
	donors  []*donor
	long    []*assembly // at most maxLong values
	waiting []task      // tasks known to be long values, for which long had no room

	out      batch
	deletes  []deletion
	progress Progress
	share    share
	closed   bool
	done     bool
	err      error

	maxQueue int
	prefix   func(digest *[32]byte) uint16
}

// task is a subtree that must be fetched, because it differs from the receiver's own.
type task struct {
	path   Path
	digest [32]byte // certified
	// suspect is a donor that left children out of a node. The node can match the certified digest only if two
	// different digests begin with the same bytes. The receiver has asked for the node again without prefixes, which
	// will show whether that is so.
	suspect *donor
}

// NewReceiver returns a receiver for the state with this certified root. Close releases what it holds.
func NewReceiver(root [32]byte, stage Stage, opt Options) *Receiver {
	if opt.InFlight <= 0 {
		opt.InFlight = 4
	}
	if opt.MaxValue <= 0 {
		opt.MaxValue = 64 << 20
	}
	r := &Receiver{
		root: root, stage: stage, own: stage.Tree().Snapshot(), opt: opt, maxQueue: maxQueue, prefix: prefixOfDigest,
	}
	if r.own.Root() == root {
		r.settle(0)
		r.finish()
		return r
	}
	r.queue = []task{{digest: root}}
	return r
}

// Close ends the transfer, finished or not. What was written stays, because it is right at its version, and a new
// receiver continues from there (X7).
func (r *Receiver) Close() {
	r.own.Release()
	r.closed = true
	r.queue, r.waiting, r.long, r.deletes, r.out = nil, nil, nil, nil, batch{}
}

// Done reports whether the stage is the certified state: everything was compared, fetched and written, and its root is
// the certified one.
func (r *Receiver) Done() bool { return r.done }

// Err returns the failure of the stage that ended the transfer, or nil.
func (r *Receiver) Err() error { return r.err }

// Ask returns the next question for a donor. It returns false if there is none now. That is so while the receiver
// waits for answers of others, if the donor is blamed, or if it is slow and another donor has room. The caller should
// call it for every reachable donor after every Take.
func (r *Receiver) Ask(id int, now time.Duration) (query []byte, ok bool) {
	d := r.donor(id)
	d.present = true
	r.hedge(d, now)
	if r.done || r.err != nil || r.closed || d.blamed || !d.hasRoom(r.opt) || (d.slow && r.withRoom() > 0) {
		return nil, false
	}
	q := question{id: d.nextID, at: now}
	items := r.askChunks(d, &q, now)
	if len(items) == 0 {
		q.tasks = r.pick(d)
		for i := range q.tasks {
			items = append(items, r.item(&q.tasks[i]))
		}
	}
	if len(items) == 0 {
		return nil, false
	}
	d.nextID++
	d.open = append(d.open, q)
	r.asked += len(q.tasks)
	query = (&Query{ID: q.id, Items: items}).Encode()
	return query, true
}

// pick takes tasks for a donor from the queue: at most a fair part of the queue, and not so many that their children
// could exceed its bound.
func (r *Receiver) pick(d *donor) []task {
	var tasks []task
	if n := min(len(r.waiting), maxLong-len(r.long)); n > 0 {
		tasks = append(tasks, r.waiting[:n]...)
		r.waiting = append(r.waiting[:0], r.waiting[n:]...)
		return tasks
	}
	if len(r.waiting) >= maxWaiting {
		return nil
	}
	ready := max(1, r.withRoom())
	n := min(d.batch, (len(r.queue)+ready-1)/ready, (r.maxQueue-len(r.queue))/16-r.asked)
	if n < 1 && len(d.open) == 0 {
		n = 1
	}
	for n = min(n, len(r.queue)); n > 0; n-- {
		last := len(r.queue) - 1
		tasks = append(tasks, r.queue[last])
		r.queue = r.queue[:last]
	}
	return tasks
}

// item makes a query's item for a task, and adds what the own tree has there.
func (r *Receiver) item(t *task) Item {
	it := Item{Kind: AskPath, Path: t.path}
	if t.suspect != nil || t.path.depth == maxDepth {
		return it
	}
	var buf [maxDepth]byte
	node, _ := r.own.Node(t.path.nibbles(&buf))
	for slot := range node.Children {
		if c := &node.Children[slot]; c.Kind != merkle.None {
			it.Kind = AskCompare
			it.Known.Bitmap |= 1 << slot
			it.Known.Prefixes[slot] = r.prefix(&c.Digest)
		}
	}
	return it
}

// Take takes a donor's answer. An error that wraps ErrBad says that the donor lied: the donor is blamed, and others get
// its questions. Any other error is the stage's, and final. Most calls take milliseconds, but a call that has to find
// the keys to delete scans the stage.
func (r *Receiver) Take(id int, now time.Duration, answer []byte) error {
	d := r.donor(id)
	if r.err != nil || r.done || r.closed {
		return r.err
	}
	r.progress.Bytes += uint64(len(answer))
	err := r.take(d, now, answer)
	if err == nil && d.blamed {
		err = errLie("an earlier one left out children that differ")
	}
	if err != nil && r.err == nil {
		r.blame(d)
		err = fmt.Errorf("take an answer of donor %d: %w: %w", id, ErrBad, err)
	}
	if r.err == nil && r.share.complete() {
		r.finish()
	}
	if r.err != nil {
		return r.err
	}
	return err
}

// take verifies an answer part by part. Parts that were verified before a lie are kept.
func (r *Receiver) take(d *donor, now time.Duration, answer []byte) error {
	if d.blamed {
		return errLie("it was blamed before")
	}
	a, err := DecodeAnswer(answer)
	if err != nil {
		return err
	}
	q, late, err := d.close(a.ID, r.opt.FirstID)
	if err != nil {
		return err
	}
	if q == nil {
		r.progress.Late += uint64(len(answer))
		return nil
	}
	var wrong error
	switch {
	case len(a.Parts) != len(q.tasks)+len(q.chunks):
		wrong = errLie("%d parts for %d items", len(a.Parts), len(q.tasks)+len(q.chunks))
	case a.Parts[0].Kind == IsLater:
		wrong = errLie("its first part is put off")
	}
	if late {
		if wrong != nil {
			return wrong
		}
		if q.chunks != nil {
			r.progress.Late += uint64(len(answer))
			return nil
		}
		q, a.Parts = r.reclaim(q, a.Parts)
		return r.takeTasks(d, q, a.Parts, now, true)
	}
	r.asked -= len(q.tasks)
	if wrong != nil {
		r.putBack(q)
		return wrong
	}
	if q.chunks != nil {
		return r.takeChunks(d, q, a.Parts)
	}
	return r.takeTasks(d, q, a.Parts, now, false)
}

func (r *Receiver) takeTasks(d *donor, q *question, parts []Part, now time.Duration, late bool) error {
	var next []task // ascending
	for i := range parts {
		t := &q.tasks[i]
		err := r.part(d, t, &parts[i], &next, now)
		if err != nil {
			r.push(append(next, q.tasks[i:]...))
			return err
		}
	}
	r.push(next)
	if !late {
		d.answered(parts)
	}
	return nil
}

// push puts tasks, which must be ascending, on top of the queue.
func (r *Receiver) push(tasks []task) {
	for i := len(tasks) - 1; i >= 0; i-- {
		r.queue = append(r.queue, tasks[i])
	}
}
