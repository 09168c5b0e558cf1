package replica

import (
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
)

// Progress is how far a state transfer is, for people.
type Progress struct {
	Phase    Phase
	Seq      wire.Seq      // of the checkpoint that is fetched
	Began    time.Duration // by the mover's clock
	Now      time.Duration
	Share    float64 // of the state that is compared and right, 0 to 1
	Keys     uint64  // written, over all rounds
	Deleted  uint64
	Bytes    uint64 // received
	Late     uint64 // of them, those that another donor had been asked for meanwhile
	Rounds   int    // checkpoints that were tried; more than one if donors gave up the first, or it became too old
	Finished int    // transfers since the start of the process
	// Renewed says that the last state took the place of a wrong one (K2). Differs are the first keys of that one that were
	// not as they should be, and Differing is how many there were.
	Renewed   bool
	Differs   [][]byte
	Differing int
	Blamed    int // answers that did not fit their hash
	LastBlame string
	Pinned    int // donors that serve it
	Donors    []wire.ReplicaID
}

// Rate is bytes a second.
func (p *Progress) Rate() float64 {
	if took := (p.Now - p.Began).Seconds(); took > 0 {
		return float64(p.Bytes) / took
	}
	return 0
}

// Remaining is about how long it will take yet; 0 if that is not known.
func (p *Progress) Remaining() time.Duration {
	if p.Share <= 0 || p.Share >= 1 {
		return 0
	}
	return time.Duration(float64(p.Now-p.Began) * (1 - p.Share) / p.Share)
}

// count adds what the receiver came to before it is closed.
func (m *Mover) count() {
	p := m.receiver.Progress()
	add(&m.report, &p)
}

func add(to *Progress, p *transfer.Progress) {
	to.Keys += p.Written
	to.Deleted += p.Deleted
	to.Bytes += p.Bytes
	to.Late += p.Late
	to.Share = p.Share
}

// Progress is how far the transfer is.
func (m *Mover) Progress() Progress {
	p := m.report
	p.Phase, p.Seq, p.Now = m.phase, m.cert.Seq, m.now
	if m.receiver != nil && m.phase == Fetching {
		now := m.receiver.Progress()
		add(&p, &now)
	}
	m.others(func(id wire.ReplicaID, g *giver) {
		if g.pinned && !g.blamed {
			p.Pinned++
			p.Donors = append(p.Donors, id)
		}
	})
	return p
}

// Active reports whether a transfer is under way.
func (m *Mover) Active() bool { return m.phase != Idle }
