package msglog

import "tagma/pbft/wire"

// MaxKeptBytes bounds the memory of the bodies that are kept below h. Older bodies are in the journal, from which a
// restart reads them.
const MaxKeptBytes = 24 << 20

// Window is the ring of slots around the low watermark h. It begins at h−3L, because replicas that follow need the
// bodies and commit certificates below h (N3). The ring ends at h+2L: this replica votes only up to H = h+L, but
// messages for later slots may arrive before the checkpoint that makes room for them (N6).
type Window struct {
	Cfg *wire.Config
	Low wire.Seq // h
	// The highest sequence number in the ring that any message named; loops over the ring need not look further.
	Seen wire.Seq
	Ring []Slot
}

// NewWindow returns an empty window with h = 0.
func NewWindow(cfg *wire.Config) *Window {
	return &Window{Cfg: cfg, Ring: make([]Slot, (wire.KeptWindows+2)*cfg.LogWindow)}
}

// High is the high watermark H.
func (w *Window) High() wire.Seq { return w.Low + w.Cfg.LogWindow }

// Floor is the highest sequence number that the ring no longer holds.
func (w *Window) Floor() wire.Seq { return w.Cfg.Floor(w.Low) }

// ForgetOldBodies drops, oldest first, the bodies below h that exceed MaxKeptBytes. It keeps the bodies of batches that
// this replica has not executed yet: after a restart they are read from the journal only once, and the other replicas
// may not hold them any more (N3).
func (w *Window) ForgetOldBodies(handed wire.Seq) {
	bytes := 0
	for seq := w.Low; seq > w.Floor(); seq-- {
		s := w.Peek(seq)
		if s == nil {
			continue
		}
		s.Waiting = nil // it is too late to be accepted, because its slot is now below h
		bytes += s.Memory
		if bytes > MaxKeptBytes && seq <= handed {
			s.Bodies, s.Memory = nil, 0
		}
	}
}

// LargeBody is the size in memory from which on a body is large: while MaxLargeBytes are held above h, no further large
// body is accepted. Smaller bodies always fit in memory, even if the window is full of them.
const LargeBody = 64 << 10

// MaxLargeBytes bounds the memory of the bodies between h and the last proposal. A primary proposes no more. Backups
// accept four times as much, because their h may be lower for a moment.
const MaxLargeBytes = 64 << 20

// LargeBytes sums up the memory of all bodies above h. Each slot keeps its own sum, so that this need not look through
// every body for every proposal: a body of many tiny operations takes several times its encoded size (S4).
func (w *Window) LargeBytes() int {
	sum := 0
	for seq := w.Low + 1; seq <= w.Seen; seq++ {
		if s := w.Peek(seq); s != nil {
			sum += s.Memory
		}
	}
	return sum
}

// slotVotes is roughly how many bytes the votes for a slot take.
const slotVotes = 1 << 10

// Bytes returns roughly how many bytes the log holds, in the bodies and votes of all slots. A log of fewer than 256
// slots counts as one of 256.
func (w *Window) Bytes() int {
	const few = 256
	sum, slots := 0, 0
	for seq := w.Floor() + 1; seq <= w.Seen; seq++ {
		if s := w.Peek(seq); s != nil {
			sum, slots = sum+s.Memory, slots+1
		}
	}
	return sum + max(slots, few)*slotVotes
}

// WaitingBytes sums up the memory of large bodies in pre-prepares that wait above h: if later is set, those of views
// after the current one, and otherwise all others.
func (w *Window) WaitingBytes(current wire.View, later bool) int {
	sum := 0
	for seq := w.Low + 1; seq <= w.Seen; seq++ {
		s := w.Peek(seq)
		if s == nil || s.Waiting == nil || later != (s.Waiting.View > current) {
			continue
		}
		if s.WaitingMemory >= LargeBody {
			sum += s.WaitingMemory
		}
	}
	return sum
}

// Holds reports whether the ring has a place for seq.
func (w *Window) Holds(seq wire.Seq) bool {
	return seq > w.Floor() && seq-w.Floor() <= wire.Seq(len(w.Ring)) && seq <= w.Low+2*w.Cfg.LogWindow
}

// At returns the slot of a sequence number that the ring holds, empty if it was not used before.
func (w *Window) At(seq wire.Seq) *Slot {
	if !w.Holds(seq) {
		panic("pbft: slot outside the ring")
	}
	s := &w.Ring[seq%wire.Seq(len(w.Ring))]
	if s.Seq != seq {
		s.begin(seq, w.Cfg.N())
	}
	w.Seen = max(w.Seen, seq)
	return s
}

// begin reuses a slot for another sequence number. It keeps the slot's arrays, so that they need not be allocated again.
func (s *Slot) begin(seq wire.Seq, replicas int) {
	votes, shown := s.Prepares[:cap(s.Prepares)], s.Shown
	if votes == nil {
		votes, shown = make([]Vote, 2*replicas), make([]bool, replicas)
	}
	clear(votes)
	clear(shown)
	*s = Slot{Seq: seq, Shown: shown, Prepares: votes[:replicas], Commits: votes[replicas:]}
}

// Peek returns the slot of seq if it is in use, else nil.
func (w *Window) Peek(seq wire.Seq) *Slot {
	if !w.Holds(seq) {
		return nil
	}
	if s := &w.Ring[seq%wire.Seq(len(w.Ring))]; s.Seq == seq {
		return s
	}
	return nil
}

// FirstLacking is the lowest sequence number above the given one that cannot be executed because its certificate or its
// body is missing. All earlier ones only wait for the executor.
func (w *Window) FirstLacking(above wire.Seq) wire.Seq {
	for seq := above + 1; ; seq++ {
		if s := w.Peek(seq); s == nil || s.Cert == nil || s.Body(s.Cert.Digest) == nil {
			return seq
		}
	}
}
