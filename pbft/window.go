package pbft

// window is the ring of slots around the low watermark h. It reaches from h−L, because bodies and commit certificates
// serve those who follow (N3), over H = h+L, above which nothing is voted for, to h+2L, because messages may arrive
// before the checkpoint that makes room for them (N6).
type window struct {
	replicas int
	length   Seq // L
	low      Seq // h
	seen     Seq // highest sequence number that any message within the window named
	ring     []slot
}

func newWindow(cfg *Config) *window {
	return &window{replicas: cfg.N(), length: cfg.LogWindow, ring: make([]slot, 3*cfg.LogWindow)}
}

// high is the high watermark H.
func (w *window) high() Seq { return w.low + w.length }

// floor is the highest sequence number that the ring no longer holds.
func (w *window) floor() Seq {
	if w.low < w.length {
		return 0
	}
	return w.low - w.length
}

// holds reports whether the ring has a place for seq.
func (w *window) holds(seq Seq) bool {
	return seq > w.floor() && seq-w.floor() <= Seq(len(w.ring)) && seq <= w.low+2*w.length
}

// at returns the slot of a sequence number that the ring holds, empty if it was not used before.
func (w *window) at(seq Seq) *slot {
	if !w.holds(seq) {
		panic("pbft: slot outside the ring")
	}
	s := &w.ring[seq%Seq(len(w.ring))]
	if s.seq != seq {
		*s = slot{
			seq:      seq,
			shown:    make([]bool, w.replicas),
			prepares: make([]vote, w.replicas),
			commits:  make([]vote, w.replicas),
		}
	}
	w.seen = max(w.seen, seq)
	return s
}

// peek returns the slot of seq if it is in use, else nil.
func (w *window) peek(seq Seq) *slot {
	if !w.holds(seq) {
		return nil
	}
	if s := &w.ring[seq%Seq(len(w.ring))]; s.seq == seq {
		return s
	}
	return nil
}

// whyOutside is the reason not to take part in ordering seq, or "" when h < seq ≤ h+2L.
func (w *window) whyOutside(seq Seq) Reason {
	switch {
	case seq <= w.low:
		return ReasonBelowWindow
	case seq-w.low > 2*w.length:
		return ReasonAboveWindow
	}
	return ""
}
