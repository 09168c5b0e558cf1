package session

import (
	"math/rand/v2"
	"time"
)

// Bounds of the time after which an unanswered request is sent again, to all replicas (C3).
const (
	firstTimeout = 250 * time.Millisecond // before anything was measured
	minTimeout   = 50 * time.Millisecond
	maxTimeout   = 2 * time.Second
	// slowPace is for requests for which no caller waits any more. They are sent only because the session cannot
	// acknowledge higher numbers before they are answered.
	slowPace = 5 * time.Second
)

// pace estimates how long an answer takes, by a smoothed mean and a smoothed deviation, as TCP does (RFC 6298).
type pace struct {
	mean, deviation time.Duration
	random          *rand.Rand
}

// answered records the time from a request's first transmission to the accepted answer. Requests that were sent again
// count as well. Their times can be too long, but without them a cluster that became slower than the timeout would never
// be measured.
func (p *pace) answered(took time.Duration) {
	took = min(took, maxTimeout)
	if p.mean == 0 {
		p.mean, p.deviation = took, took/2
		return
	}
	p.deviation += ((p.mean - took).Abs() - p.deviation) / 4
	p.mean += (took - p.mean) / 8
}

// timeout is how long to wait after a request's first transmission.
func (p *pace) timeout() time.Duration {
	if p.mean == 0 {
		return firstTimeout
	}
	return min(max(p.mean+4*p.deviation, minTimeout), maxTimeout)
}

// after returns how long to wait after the given number of transmissions. The time doubles with each one, up to a bound,
// and has jitter.
func (p *pace) after(transmissions int) time.Duration {
	d := p.timeout()
	for i := 1; i < transmissions && d < maxTimeout; i++ {
		d *= 2
	}
	return p.jitter(min(d, maxTimeout))
}

// jitter returns a random time from d to 1.25 d, so that clients and requests do not all act at the same moment.
func (p *pace) jitter(d time.Duration) time.Duration {
	return d + time.Duration(p.random.Int64N(int64(d)/4+1))
}

// Bounds of hedging, which means asking all replicas before the timeout is over (C3).
const (
	hedgeFactor  = 3 // hedge when an answer takes this many times the mean
	hedgeLeast   = 20 * time.Millisecond
	hedgeSamples = 8    // answers that are needed before the mean is meaningful
	hedgeShare   = 0.05 // the share of requests that may be hedged,
	hedgeSaved   = 4    // and how many at once
	hedgePause   = time.Second
	// hedgeInflated is how many times its best value the mean may be. If it is larger, the whole cluster is overloaded,
	// and hedging would not help.
	hedgeInflated = 4
)

// hedger decides which late requests are hedged. It keeps to a share of all requests, so that hedging clients do not
// make an overload worse.
type hedger struct {
	off     bool
	saved   float64
	answers int
	best    time.Duration // a low estimate of how long an answer takes
	resume  time.Duration // no hedging before this time
}

// sent counts a request's first transmission.
func (h *hedger) sent() { h.saved = min(h.saved+hedgeShare, hedgeSaved) }

// answered records how long an answer took. A lower value becomes the estimate at once; a higher one raises it slowly.
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

// after returns how late an answer must be before the request is hedged. It returns false if nothing is hedged.
func (h *hedger) after(p *pace) (time.Duration, bool) {
	return max(hedgeFactor*p.mean, hedgeLeast), !h.off && h.answers >= hedgeSamples
}

// spend reports whether a late request may be hedged, and counts it if so.
func (h *hedger) spend(now time.Duration, p *pace) bool {
	if h.saved < 1 || now < h.resume || p.mean > hedgeInflated*h.best {
		return false
	}
	h.saved--
	return true
}
