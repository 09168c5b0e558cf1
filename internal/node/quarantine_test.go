package node

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tagma/network"
)

// S4: a link that carries false signatures is not read for a while, and longer after each one. No other link has to
// wait.
func TestS4_FalseSignaturesHoldBackTheirLinkAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, bad, good := newQuarantine[*network.ClientLink](), new(network.ClientLink), new(network.ClientLink)
		for range 3 {
			q.extend(bad, time.Now(), badSignaturePause)
		}
		begun := time.Now()
		q.wait(context.Background(), good)
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("a correct client's link waits %v", waited)
		}
		q.wait(context.Background(), bad)
		if waited := time.Since(begun); waited != 3*badSignaturePause {
			t.Errorf("the link waits %v after three false signatures", waited)
		}
		q.wait(context.Background(), bad)
		if waited := time.Since(begun); waited != 3*badSignaturePause {
			t.Errorf("the link waits on, %v in all", waited)
		}
	})
}

func TestS4_TheEndOfTheNodeEndsAPause(t *testing.T) {
	q, link := newQuarantine[*network.ClientLink](), new(network.ClientLink)
	q.extend(link, time.Now(), time.Hour)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q.wait(ctx, link)
	q.gone(link, time.Now())
	if left := q.left(link, time.Now()); left > 0 {
		t.Errorf("a link that has gone is held back for %v", left)
	}
}

// However many Busy answers a link causes, its pause is bounded.
func TestC6_APauseHasALimit(t *testing.T) {
	q, link, now := newQuarantine[*network.ClientLink](), new(network.ClientLink), time.Now()
	for range 10_000 {
		q.extend(link, now, busyPause)
	}
	if left := q.left(link, now); left != longestPause {
		t.Errorf("the link is held back for %v", left)
	}
}

// I14: if a pause is added for a link that has ended, the entry is removed soon.
func TestI14_APauseOfALinkThatHasGoneIsForgotten(t *testing.T) {
	q, now := newQuarantine[*network.ClientLink](), time.Now()
	for range 100 {
		link := new(network.ClientLink)
		q.gone(link, now)
		q.extend(link, now, busyPause)
		now = now.Add(busyPause)
	}
	if k := len(q.until); k > 2 {
		t.Errorf("%d links that have gone are remembered", k)
	}
}
