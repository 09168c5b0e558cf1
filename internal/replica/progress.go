package replica

import (
	"time"

	"tagma/checkpoint/transfer"
	"tagma/pbft/wire"
)

// Progress describes for people how far a state transfer is.
type Progress struct {
	Phase   Phase
	Seq     wire.Seq      // sequence number of the checkpoint that is being fetched
	Began   time.Duration // by the mover's clock
	Now     time.Duration
	Share   float64 // the part of the state that was compared and is right, 0 to 1
	Keys    uint64  // written in all rounds
	Deleted uint64
	Bytes   uint64 // received
	Late    uint64 // of these, bytes for which another donor had been asked meanwhile
	// How many checkpoints were tried; more than one if donors stopped serving the first, or newer ones replaced it.
	Rounds   int
	Finished int // transfers since the start of the process
	// Renewed says that the last transfer replaced a wrong state (K2). Differs are the first of its keys that were
	// wrong, and Differing is their number.
	Renewed   bool
	Differs   [][]byte
	Differing int
	Blamed    int // answers that did not match their hash
	LastBlame string
	Pinned    int // donors that serve the checkpoint
	Donors    []wire.ReplicaID
}

// Rate is the number of bytes received per second.
func (p *Progress) Rate() float64 {
	if took := (p.Now - p.Began).Seconds(); took > 0 {
		return float64(p.Bytes) / took
	}
	return 0
}

// Remaining estimates how long the transfer will still take; 0 if that is not known.
func (p *Progress) Remaining() time.Duration {
	if p.Share <= 0 || p.Share >= 1 {
		return 0
	}
	return time.Duration(float64(p.Now-p.Began) * (1 - p.Share) / p.Share)
}

// count adds the receiver's progress to the report, before the receiver is closed.
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

// Progress returns how far the transfer is.
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

// Active reports whether a transfer is running.
func (m *Mover) Active() bool { return m.phase != Idle }
