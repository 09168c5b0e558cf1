package session

import "time"

// Bounds of hedging: turning to all replicas earlier than the time-out (C3).
const (
	hedgeFactor  = 3 // times the mean that an answer takes
	hedgeLeast   = 20 * time.Millisecond
	hedgeSamples = 8    // answers before the mean means something
	hedgeShare   = 0.05 // of the requests may be hedged,
	hedgeSaved   = 4    // and so many at once
	hedgePause   = time.Second
	// hedgeInflated is how far the mean may be above what it was at best: beyond that the cluster is not late with single
	// requests, it is busy.
	hedgeInflated = 4
)

// hedger decides which late requests are hedged. It stays within a share of the requests sent, so that clients cannot
// make an overload worse by it.
type hedger struct {
	off     bool
	saved   float64
	answers int
	best    time.Duration // a low estimate of what an answer takes
	resume  time.Duration // no hedging before
}

// sent notes a request's first transmission.
func (h *hedger) sent() { h.saved = min(h.saved+hedgeShare, hedgeSaved) }

// answered notes what an answer took. The estimate follows at once when it is less, and slowly when it is more.
func (h *hedger) answered(took time.Duration) {
	h.answers++
	if h.best == 0 || took < h.best {
		h.best = took
		return
	}
	h.best += (took - h.best) / 256
}

// busy notes that the cluster is overloaded.
func (h *hedger) busy(now time.Duration) { h.resume = now + hedgePause }

// after is how late an answer must be; false: nothing is hedged.
func (h *hedger) after(p *pace) (time.Duration, bool) {
	return max(hedgeFactor*p.mean, hedgeLeast), !h.off && h.answers >= hedgeSamples
}

// spend reports whether a late request is hedged, and counts it.
func (h *hedger) spend(now time.Duration, p *pace) bool {
	if h.saved < 1 || now < h.resume || p.mean > hedgeInflated*h.best {
		return false
	}
	h.saved--
	return true
}
