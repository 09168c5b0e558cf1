package transfer

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// donor is what a receiver knows about one donor.
type donor struct {
	id      int
	nextID  uint32
	open    []question // questions without an answer yet, in the order in which they were asked
	given   []question // questions that were given up, only the latest; their answers may still arrive
	stale   int        // how many answers to questions of an earlier receiver arrived
	batch   int        // paths in the next question
	window  int        // how many questions may be unanswered at a time
	late    uint       // times in a row that the donor did not answer in time
	present bool       // Ask was called for the donor since it was last reported gone
	slow    bool
	blamed  bool
}

// question is an unanswered question, for tasks or for chunks.
type question struct {
	id     uint32
	at     time.Duration
	tasks  []task
	chunks []chunk
}

// The first question to a donor is short, and no second one is asked before the answer, because the path to the donor
// may be slow. After answers in time, questions become longer, up to MaxItems, and more of them may be open at a
// time, up to Options.InFlight. After a late answer, questions become shorter and only one may be open.
const (
	firstBatch = 8
	maxGiven   = 8  // how many given-up questions are kept for each donor
	maxStale   = 64 // how many answers of a donor to an earlier receiver's questions are not counted as lies
)

// errLie describes an answer that a correct donor never sends.
func errLie(format string, args ...any) error { return fmt.Errorf(format, args...) }

func (r *Receiver) donor(id int) *donor {
	at, found := slices.BinarySearchFunc(r.donors, id, func(d *donor, id int) int { return cmp.Compare(d.id, id) })
	if !found {
		r.donors = slices.Insert(r.donors, at, &donor{id: id, nextID: r.opt.FirstID, batch: firstBatch, window: 1})
	}
	return r.donors[at]
}

func (d *donor) hasRoom(opt Options) bool {
	if d.slow {
		return len(d.open) == 0
	}
	return len(d.open) < min(d.window, opt.InFlight)
}

// usable reports whether the donor can be expected to answer.
func (d *donor) usable() bool { return d.present && !d.blamed && !d.slow }

// withRoom returns how many donors that are not slow have room for another question.
func (r *Receiver) withRoom() (n int) {
	for _, d := range r.donors {
		if d.usable() && d.hasRoom(r.opt) {
			n++
		}
	}
	return n
}

// close removes the question to which an answer belongs, and reports whether the question had been given up. If the
// answer is of no use any more, it returns no question and no error.
func (d *donor) close(id, first uint32) (q *question, late bool, err error) {
	is := func(q question) bool { return q.id == id }
	if at := slices.IndexFunc(d.open, is); at >= 0 {
		found := d.open[at]
		d.open = slices.Delete(d.open, at, at+1)
		return &found, false, nil
	}
	if at := slices.IndexFunc(d.given, is); at >= 0 {
		found := d.given[at]
		d.given = slices.Delete(d.given, at, at+1)
		return &found, true, nil
	}
	if first != 0 && int32(first-id) > 0 && d.stale < maxStale {
		d.stale++
		return nil, false, nil
	}
	return nil, false, errLie("nothing was asked under number %d, or its answer came before", id)
}

// answered notes a valid answer in time, and adapts the size of the next questions to how much of this one was answered.
func (d *donor) answered(parts []Part) {
	d.slow, d.late = false, 0
	d.window++
	put := 0
	for i := range parts {
		if parts[i].Kind == IsLater {
			put++
		}
	}
	if put > 0 {
		d.batch = len(parts) - put
	} else {
		d.batch = min(MaxItems, max(d.batch, 2*len(parts)))
	}
}

// reclaim uses a late answer to a given-up question. It removes the question's tasks from the queue, except those for
// which another donor was asked meanwhile. It returns the removed tasks as a question, with the parts of the answer
// that belong to them.
func (r *Receiver) reclaim(q *question, parts []Part) (*question, []Part) {
	wanted := make(map[Path]int, len(q.tasks))
	for i := range q.tasks {
		wanted[q.tasks[i].path] = i
	}
	free := make([]bool, len(q.tasks))
	r.queue = slices.DeleteFunc(r.queue, func(t task) bool {
		i, is := wanted[t.path]
		if !is || q.tasks[i].digest != t.digest || t.suspect != q.tasks[i].suspect {
			return false
		}
		free[i] = true
		return true
	})
	left := &question{id: q.id, at: q.at}
	var rest []Part
	for i := range q.tasks {
		if free[i] {
			left.tasks, rest = append(left.tasks, q.tasks[i]), append(rest, parts[i])
		} else {
			r.progress.Late += uint64(len(parts[i].append(nil)))
		}
	}
	return left, rest
}

// putBack puts a question's tasks back into the queue, and its chunks back to their values, to be asked for again.
func (r *Receiver) putBack(q *question) {
	r.push(q.tasks)
	for _, c := range q.chunks {
		c.of.again = append(c.of.again, c.offset)
	}
}

// giveUp gives up all questions to a donor: what they ask for is put back, so that other donors are asked for it.
func (r *Receiver) giveUp(d *donor) {
	for i := len(d.open) - 1; i >= 0; i-- {
		r.asked -= len(d.open[i].tasks)
		r.putBack(&d.open[i])
	}
	for _, q := range d.open {
		d.given = append(d.given, question{id: q.id, at: q.at, tasks: q.tasks, chunks: q.chunks})
	}
	if extra := len(d.given) - maxGiven; extra > 0 {
		d.given = slices.Delete(d.given, 0, extra)
	}
	d.open = nil
	r.drop(func(a *assembly) bool { return a.owner == d })
}

func (r *Receiver) blame(d *donor) {
	r.giveUp(d)
	d.blamed = true
}

// Lapse says that a donor is gone or refused to answer, so that other donors get its questions. It may be asked again.
func (r *Receiver) Lapse(id int, _ time.Duration) {
	d := r.donor(id)
	r.giveUp(d)
	d.present = false
}

// Forgive allows a blamed donor to be asked again.
func (r *Receiver) Forgive(id int) { r.donor(id).blamed = false }

// Blamed returns the donors that lied and were not forgiven, ascending.
func (r *Receiver) Blamed() []int {
	var blamed []int
	for _, d := range r.donors {
		if d.blamed {
			blamed = append(blamed, d.id)
		}
	}
	return blamed
}

// hedge gives up old questions of other donors, so that a donor for which nothing else is left can be asked.
// Otherwise a donor that accepts every question and answers none would delay each transfer by the whole time allowed
// for an answer. If the other donors still answer, their answers are used.
func (r *Receiver) hedge(idle *donor, now time.Duration) {
	if r.opt.Hedge == 0 || len(r.queue)+len(r.waiting) > 0 || !idle.usable() || len(idle.open) > 0 {
		return
	}
	for _, d := range r.donors {
		if d != idle && slices.ContainsFunc(d.open, func(q question) bool { return now-q.at >= r.opt.Hedge }) {
			r.giveUp(d)
			d.slow, d.window = true, 1
		}
	}
}

// maxPatience is how often the time allowed to a slow donor is doubled.
const maxPatience = 4

// Expire gives the questions of donors that have not answered in time to others, and returns these donors. These
// donors then count as slow: until one of their answers comes in time, each is asked one question at a time, and only
// while no other donor has room. If all donors are slow, the time allowed to each is doubled, again and again up to
// 16 times the original one. Otherwise no answer of an only donor behind a slow path would ever be in time.
func (r *Receiver) Expire(now, after time.Duration) []int {
	var expired []int
	alone := !slices.ContainsFunc(r.donors, (*donor).usable)
	for _, d := range r.donors {
		patience := after
		if alone {
			patience <<= min(d.late, maxPatience)
		}
		overdue := func(at time.Duration) bool { return now-at >= patience }
		if slices.ContainsFunc(d.open, func(q question) bool { return overdue(q.at) }) {
			r.giveUp(d)
			d.slow, d.window, d.batch = true, 1, max(1, d.batch/4)
			d.late++
			expired = append(expired, d.id)
		}
		// A long value is given up, too, if this donor was not asked for its next piece in that time. Another value
		// can then take its place.
		r.drop(func(a *assembly) bool { return a.owner == d && overdue(a.at) })
	}
	return expired
}
