package msglog

import (
	"time"

	"tagma/pbft/wire"
)

// MaxWishWait bounds how long a replica waits that asks for nulls again and again.
const MaxWishWait = time.Minute

// Wish is up to where another replica wants the order to go on (D8.9).
type Wish struct {
	Asked   wire.Seq // what it asked for
	Granted wire.Seq // what it is worked for
	At      time.Duration
	wait    time.Duration // before another wish of it is heard
	again   time.Duration
}

// WishOutcome says what became of a wish.
type WishOutcome uint8

// The outcomes of a wish.
const (
	WishGranted WishOutcome = iota
	WishKnown
	WishTooSoon
)

// Hear takes a wish. It costs everybody work, so each further one of a replica doubles its wait, from a timeout on, until it
// has wished for nothing for longer than the longest wait.
func (w *Wish) Hear(until wire.Seq, now, timeout time.Duration) WishOutcome {
	w.Asked = max(w.Asked, until)
	switch {
	case until <= w.Granted:
		return WishKnown
	case now < w.again:
		return WishTooSoon
	}
	if now-w.At >= 2*MaxWishWait {
		w.wait = 0
	}
	w.Granted, w.At = until, now
	w.wait = min(max(2*w.wait, timeout), MaxWishWait)
	w.again = now + w.wait
	return WishGranted
}
