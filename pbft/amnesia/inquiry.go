package amnesia

import (
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// Inquiry is the question that a replica asks at an ordinary start (D8.4, D8.5): does another replica hold something
// that this one signed and its journal lacks? If a disk was restored from an older copy, its replica cannot notice that;
// only other replicas can.
type Inquiry struct {
	Asking bool // too few replicas have answered, so this one must not vote yet
	Forgot bool // an answer proved that the journal lost something, so this replica signs nothing any more

	cfg   *wire.Config
	nonce uint64
	first bool
	whole []bool // by replica: it answered, and remembers all that it signed itself
	lost  []bool // by replica: it answered, and does not remember all that it signed itself
	asked bool
	again time.Duration
}

// NewInquiry returns the question of one start, under a fresh nonce; with nonce 0 nobody is asked. At a first start, an
// answer that shows any statement of this replica proves a loss.
func NewInquiry(cfg *wire.Config, nonce uint64, first bool) Inquiry {
	return Inquiry{Asking: nonce != 0, cfg: cfg, nonce: nonce, first: first, whole: make([]bool, cfg.N()), lost: make([]bool, cfg.N())}
}

// Ask lists which replicas to ask now, and under which nonce: those that have not yet answered that they remember
// everything. It asks often at first, then less often, for as long as the replica runs.
func (q *Inquiry) Ask(now time.Duration) (nonce uint64, whom []wire.ReplicaID) {
	if q.nonce == 0 || q.asked && now < q.again {
		return 0, nil
	}
	q.asked, q.again = true, now+q.cfg.ViewTimeout
	if q.Asking {
		q.again = now + q.cfg.ViewTimeout/8
	}
	for id := range q.cfg.N() {
		if to := wire.ReplicaID(id); to != q.cfg.Self && !q.whole[id] {
			whom = append(whom, to)
		}
	}
	return q.nonce, whom
}

// WhyDrop returns the reason why an answer must be ignored, or "" if it counts.
func (q *Inquiry) WhyDrop(m *wire.HeldBy, from wire.ReplicaID) port.Reason {
	switch {
	case q.nonce == 0 || m.Nonce != q.nonce || m.Of != q.cfg.Self:
		return port.ReasonUnasked
	case q.whole[from]:
		return port.ReasonDuplicate
	}
	return ""
}

// NeverStarted reports whether nothing shows that this replica was started before. If so, it has signed nothing.
func (q *Inquiry) NeverStarted() bool { return q.Asking && q.first }

// Answered counts an answer that shows no loss. This replica may vote once n−f replicas remember everything, itself
// among them.
func (q *Inquiry) Answered(from wire.ReplicaID, whole bool) {
	q.whole[from], q.lost[from] = whole, !whole
	n := 0
	for _, is := range q.whole {
		if is {
			n++
		}
	}
	if n >= q.cfg.Remaining()-1 {
		q.Asking = false
	}
}

// Lost lists the replicas whose last answer said that they do not remember all that they signed, ascending.
func (q *Inquiry) Lost() (ids []wire.ReplicaID) {
	for id, lost := range q.lost {
		if lost {
			ids = append(ids, wire.ReplicaID(id))
		}
	}
	return ids
}
