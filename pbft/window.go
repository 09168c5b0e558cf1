package pbft

import "tagma/pbft/wire"

// keptWindows is how many windows below h slots are kept for, in memory and in the journal. A busy cluster goes through
// one in a second, so one, as N3 first had it, would leave behind whoever pauses that long.
const keptWindows = 3

// maxKeptBytes bounds the memory of the bodies that are kept below h. The journal has the older ones, for a restart.
const maxKeptBytes = 24 << 20

// window is the ring of slots around the low watermark h. It reaches from h−3L, because bodies and commit certificates
// serve those who follow (N3), over H = h+L, above which nothing is voted for, to h+2L, because messages may arrive
// before the checkpoint that makes room for them (N6).
type window struct {
	replicas int
	length   wire.Seq // L
	low      wire.Seq // h
	seen     wire.Seq // highest sequence number that any message within the window named
	settled  wire.Seq // up to here every slot above h has our commit and nothing waits
	ring     []slot
}

func newWindow(cfg *wire.Config) *window {
	return &window{replicas: cfg.N(), length: cfg.LogWindow, ring: make([]slot, (keptWindows+2)*cfg.LogWindow)}
}

// high is the high watermark H.
func (w *window) high() wire.Seq { return w.low + w.length }

// floor is the highest sequence number that the ring no longer holds.
func (w *window) floor() wire.Seq { return w.below(w.low) }

// below is the end of what is kept below a checkpoint.
func (w *window) below(checkpoint wire.Seq) wire.Seq {
	return checkpoint - min(checkpoint, keptWindows*w.length)
}

// forgetOldBodies drops, oldest first, the bodies below h that exceed maxKeptBytes. Those of batches that this replica has
// yet to execute stay: after a restart the journal gives them once, and the others may have none of them any more (N3).
func (w *window) forgetOldBodies(handed wire.Seq) {
	bytes := 0
	for seq := w.low; seq > w.floor(); seq-- {
		s := w.peek(seq)
		if s == nil {
			continue
		}
		s.waiting = nil // it came too late
		bytes += s.memory
		if bytes > maxKeptBytes && seq <= handed {
			s.bodies, s.memory = nil, 0
		}
	}
}

// largeBody is the size in bytes from which on a body counts against maxLargeBytes. A window full of smaller ones is
// small enough.
const largeBody = 64 << 10

// maxLargeBytes bounds the large bodies between h and what is proposed. A primary keeps to it; backups, whose h may be
// lower for a moment, tolerate four times as much.
const maxLargeBytes = 64 << 20

// largeBytes sums up the large bodies above h.
func (w *window) largeBytes() int {
	sum := 0
	for seq := w.low + 1; seq <= w.seen; seq++ {
		if s := w.peek(seq); s != nil {
			for _, b := range s.bodies {
				if k := b.RequestBytes(); k >= largeBody {
					sum += k
				}
			}
		}
	}
	return sum
}

// waitingBytes sums up the large bodies of pre-prepares that wait above h: those for later views than the current one, or
// all others.
func (w *window) waitingBytes(current wire.View, later bool) int {
	sum := 0
	for seq := w.low + 1; seq <= w.seen; seq++ {
		s := w.peek(seq)
		if s == nil || s.waiting == nil || later != (s.waiting.View > current) {
			continue
		}
		if k := s.waiting.Body.RequestBytes(); k >= largeBody {
			sum += k
		}
	}
	return sum
}

// holds reports whether the ring has a place for seq.
func (w *window) holds(seq wire.Seq) bool {
	return seq > w.floor() && seq-w.floor() <= wire.Seq(len(w.ring)) && seq <= w.low+2*w.length
}

// at returns the slot of a sequence number that the ring holds, empty if it was not used before.
func (w *window) at(seq wire.Seq) *slot {
	if !w.holds(seq) {
		panic("pbft: slot outside the ring")
	}
	s := &w.ring[seq%wire.Seq(len(w.ring))]
	if s.seq != seq {
		s.begin(seq, w.replicas)
	}
	w.seen = max(w.seen, seq)
	return s
}

// begin makes a slot one of another sequence number. Its arrays are its own, so that they serve again.
func (s *slot) begin(seq wire.Seq, replicas int) {
	votes, shown := s.prepares[:cap(s.prepares)], s.shown
	if votes == nil {
		votes, shown = make([]vote, 2*replicas), make([]bool, replicas)
	}
	clear(votes)
	clear(shown)
	*s = slot{seq: seq, shown: shown, prepares: votes[:replicas], commits: votes[replicas:]}
}

// peek returns the slot of seq if it is in use, else nil.
func (w *window) peek(seq wire.Seq) *slot {
	if !w.holds(seq) {
		return nil
	}
	if s := &w.ring[seq%wire.Seq(len(w.ring))]; s.seq == seq {
		return s
	}
	return nil
}

// whyOutside is the reason not to take part in ordering seq, or "" when h < seq ≤ h+2L.
func (w *window) whyOutside(seq wire.Seq) Reason {
	switch {
	case seq <= w.low:
		return ReasonBelowWindow
	case seq-w.low > 2*w.length:
		return ReasonAboveWindow
	}
	return ""
}
