package node

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"tagma/internal/watch"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// watches tells clients what was changed. It works on a goroutine of its own, beside execution, on executed states alone.
type watches struct {
	hub    *watch.Hub[*network.ClientLink]
	in     chan watching
	moved  chan struct{} // holds a token after a batch, while there are watches
	silent func() bool   // the state contradicts a stable checkpoint, so nothing is told from it (K2)
	busy   func() bool   // batches were executed lately
	log    *slog.Logger
	shown  atomic.Pointer[watchCounts]
	ended  chan struct{}
}

// watching is what a link said; without a message the link is gone.
type watching struct {
	link *network.ClientLink
	m    wire.Message
}

// watchCounts are the present numbers, for metrics.
type watchCounts struct {
	watches, behind int
	refused, told   uint64
}

const (
	// watchMail is how much may wait for the hub; after that, the links that send more wait.
	watchMail = 1024
	// watchProgress is how often clients are told that nothing was changed.
	watchProgress = time.Second
	// watchRetry is how often watches that are behind are looked at although nothing happened: their links may have room.
	watchRetry = 50 * time.Millisecond
	// watchesShare is the part of max_watches that one client may have.
	watchesShare = 4
)

func newWatches(most int, follow func(func(statemachine.Reader, statemachine.Followed)) error, silent func() bool, busy func() bool,
	log *slog.Logger,
) *watches {
	w := &watches{
		hub: watch.New[*network.ClientLink](watch.Limits{All: most, PerClient: max(1, most/watchesShare)}, follow),
		in:  make(chan watching, watchMail), moved: make(chan struct{}, 1), silent: silent, busy: busy, log: log, ended: make(chan struct{}),
	}
	w.shown.Store(&watchCounts{})
	return w
}

// put passes on what a link said.
func (w *watches) put(ctx context.Context, link *network.ClientLink, m wire.Message) {
	select {
	case w.in <- watching{link, m}:
	case <-w.ended:
	case <-ctx.Done():
	}
}

// executed says that a batch was executed. It costs next to nothing without watches.
func (w *watches) executed() {
	if w.shown.Load().watches == 0 {
		return
	}
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

// run tells until the context ends.
func (w *watches) run(ctx context.Context) {
	defer close(w.ended)
	progress := time.NewTicker(watchProgress)
	defer progress.Stop()
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	rested := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case said := <-w.in:
			w.take(said)
		case <-w.moved:
		case <-retry.C:
		case <-progress.C:
			w.step()
			if !w.silent() {
				w.hub.Progress()
			}
		}
		for range len(w.in) {
			w.take(<-w.in)
		}
		w.step()
		more := false
		if began := time.Now(); !began.Before(rested) {
			more = w.catchUp()
			rested = time.Now()
			if w.busy() { // telling the past takes processor time and disk from execution
				rested = rested.Add(restTimes * rested.Sub(began))
			}
		}
		switch {
		case more:
			retry.Reset(max(time.Until(rested), 0))
		case w.hub.Behind() > 0:
			retry.Reset(watchRetry)
		}
		w.show()
	}
}

func (w *watches) take(said watching) {
	switch m := said.m.(type) {
	case *wire.Watch:
		w.hub.Watch(said.link, m)
		w.show()
	case *wire.WatchTaken:
		w.hub.Taken(said.link, m)
	default:
		w.hub.Gone(said.link)
	}
}

func (w *watches) show() {
	c := &watchCounts{watches: w.hub.Watches(), behind: w.hub.Behind()}
	c.refused, c.told = w.hub.Counts()
	w.shown.Store(c)
}

func (w *watches) step() {
	for !w.silent() {
		more, err := w.hub.Step()
		if err != nil {
			w.log.Debug("changes could not be read", "error", err)
		}
		if err != nil || !more {
			return
		}
	}
}

func (w *watches) catchUp() (more bool) {
	if w.hub.Behind() == 0 || w.silent() {
		return false
	}
	more, err := w.hub.CatchUp()
	if err != nil {
		w.log.Debug("changes could not be read", "error", err)
	}
	return more && err == nil
}

// follow looks at the newest state of the present instance.
func (n *Node) follow(look func(statemachine.Reader, statemachine.Followed)) error {
	return n.reads(nil, func(i *instance, stop <-chan struct{}) error { return i.service.Follow(stop, look) })
}
