package session

import (
	"math/rand/v2"
	"time"
)

// Bounds of the time without an answer after which a request is sent again, to all (C3).
const (
	firstTimeout = 250 * time.Millisecond // before anything was measured
	minTimeout   = 50 * time.Millisecond
	maxTimeout   = 2 * time.Second
	// slowPace is for requests that nobody waits for any more. They are kept alive only because the session cannot
	// acknowledge past them.
	slowPace = 5 * time.Second
)

// pace estimates how long an answer takes: a smoothed mean and a smoothed deviation, as TCP does (RFC 6298).
type pace struct {
	mean, deviation time.Duration
	random          *rand.Rand
}

// answered takes the time from a request's first transmission to its acceptance. A retransmitted request counts too:
// its sample can only be too long, and without it a cluster that became slower than the timeout would never be measured.
func (p *pace) answered(took time.Duration) {
	took = min(took, maxTimeout)
	if p.mean == 0 {
		p.mean, p.deviation = took, took/2
		return
	}
	p.deviation += ((p.mean - took).Abs() - p.deviation) / 4
	p.mean += (took - p.mean) / 8
}

// timeout is the patience with a request's first transmission.
func (p *pace) timeout() time.Duration {
	if p.mean == 0 {
		return firstTimeout
	}
	return min(max(p.mean+4*p.deviation, minTimeout), maxTimeout)
}

// after is the patience after so many transmissions: doubled each time, capped, jittered.
func (p *pace) after(transmissions int) time.Duration {
	d := p.timeout()
	for i := 1; i < transmissions && d < maxTimeout; i++ {
		d *= 2
	}
	return p.jitter(min(d, maxTimeout))
}

// jitter spreads clients and requests that would otherwise keep step: d to 1.25 d.
func (p *pace) jitter(d time.Duration) time.Duration {
	return d + time.Duration(p.random.Int64N(int64(d)/4+1))
}

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
