package pbft

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Following as long as anybody remembers (X0): a replica that lags asks for the batches that it lacks, from the first
// one on, and asks again as soon as the answer was of use. So it goes as fast as the answers come, whatever the timeout
// is.

// follow is the question that is out.
type follow struct {
	helper  wire.ReplicaID
	from    wire.Seq // first batch that was asked for; 0: nothing is out
	next    wire.Seq // behind the last one of the answer, once its end has come
	askedAt time.Duration

	refused   []bool // by replica: it does not hold the batch at refusedAt
	refusedAt wire.Seq
}

// refusedByAll reports whether no other replica holds the batch that is wanted.
func (f *follow) refusedByAll(cfg *wire.Config) bool { return countTrue(f.refused) >= cfg.N()-1 }

// refusedNext reports whether no other replica holds the very next batch.
func (r *Replica) refusedNext() bool {
	return r.follow.refusedAt == r.handed+1 && r.follow.refusedByAll(r.cfg)
}

// pullPatience is the share of a timeout after which a question without an answer goes to another replica.
const pullPatience = 8

// pull asks for batches if this replica lags, nothing useful is on its way, and there is room for them.
func (r *Replica) pull() {
	f := &r.follow
	if r.leftBehind() || !r.lags() {
		f.from = 0
		return
	}
	want := r.firstLacking()
	if f.refusedAt != want {
		clear(f.refused)
		f.refusedAt = want
	}
	if !r.log.Holds(want) || !r.mayAsk(want) {
		return
	}
	if f.helper == r.cfg.Self {
		r.nextHelper()
	}
	f.from, f.next, f.askedAt = want, 0, r.mono
	r.send(f.helper, &wire.FetchSlots{From: want, Most: maxPushedSlots})
}

// mayAsk reports whether it is time for a question, and turns to another helper where the last one was of no use, or
// slow.
func (r *Replica) mayAsk(want wire.Seq) bool {
	f := &r.follow
	patience := r.cfg.ViewTimeout / pullPatience
	waited := r.mono - f.askedAt
	switch {
	case f.from > 0 && f.next > f.from && want >= f.next: // all of it came, and there may be more
		if waited > patience/2 {
			r.nextHelper()
		}
		return true
	case f.from > 0 && f.next > f.from: // its end has come, and what it lacks may only be late
		patience /= 4
	case f.from > 0 && want > f.from: // it comes, and may take a while
		patience *= 4
	case f.from == 0 && !f.refusedByAll(r.cfg):
		patience /= 4
	}
	if waited < patience {
		return false
	}
	r.nextHelper()
	return true
}

// nextHelper passes on to the next replica, over those that do not hold what is wanted unless none does.
func (r *Replica) nextHelper() {
	f := &r.follow
	for range r.cfg.N() {
		f.helper = wire.ReplicaID((int(f.helper) + 1) % r.cfg.N())
		if f.helper != r.cfg.Self && (!f.refused[f.helper] || f.refusedByAll(r.cfg)) {
			return
		}
	}
}

// lags reports whether this replica has missed something: a stable checkpoint lies above what it executed, or another
// one executed what it lacks and nothing has come for a moment.
func (r *Replica) lags() bool {
	if r.log.Low > r.handed {
		return true
	}
	quiet := r.mono-r.change.progressAt >= r.cfg.ViewTimeout/16
	for i := range r.peers {
		s := r.peers[i].status
		if s != nil && (s.Executed > r.handed && quiet || s.Executed > r.handed+r.cfg.CheckpointInterval) {
			return true
		}
	}
	return false
}

// firstLacking is the lowest sequence number above what was handed to execution that cannot be executed: its
// certificate or its body is missing. Those before it only wait for the executor.
func (r *Replica) firstLacking() wire.Seq {
	seq := r.handed + wire.Seq(len(r.backlog)) + 1
	for ; ; seq++ {
		if s := r.log.Peek(seq); s == nil || s.Cert == nil || s.Body(s.Cert.Digest) == nil {
			return seq
		}
	}
}

// onSlots takes the end of an answer. Whoever does not hold the batch is passed over at once.
func (r *Replica) onSlots(m *wire.Slots, from port.Source) {
	f := &r.follow
	if f.from == 0 || m.From != f.from || from.Replica != f.helper || f.next > 0 {
		r.drop(m, port.ReasonUnasked)
		return
	}
	if m.Next > m.From {
		f.next = m.Next
		r.pull()
		return
	}
	if f.from = 0; f.refusedAt == m.From {
		f.refused[from.Replica] = true
	}
	if !f.refusedByAll(r.cfg) {
		f.askedAt = r.mono - r.cfg.ViewTimeout
	}
	r.checkReach()
	r.pull()
}
