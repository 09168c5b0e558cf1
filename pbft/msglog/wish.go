package msglog

import (
	"time"

	"tagma/pbft/wire"
)

// MaxWishWait bounds how long a replica that wishes for nulls again and again must wait between two wishes.
const MaxWishWait = time.Minute

// Wish records up to which sequence number another replica wants batches to be ordered, with nulls if there are no
// requests (D8.9).
type Wish struct {
	Asked   wire.Seq      // the highest one it asked for
	Granted wire.Seq      // the highest number that this replica granted; nulls are ordered up to it
	At      time.Duration // when it was granted
	wait    time.Duration // how long after the last granted wish the next one is granted
	again   time.Duration // when the next wish may be granted
}

// WishOutcome says whether a wish was granted, or why not.
type WishOutcome uint8

// The outcomes of a wish.
const (
	WishGranted WishOutcome = iota
	WishKnown
	WishTooSoon
)

// Hear takes a wish. A granted wish costs every replica work, so each one doubles the time until the same replica's next
// one is granted, beginning with a timeout. After twice MaxWishWait without a granted wish, the time is a timeout again.
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
