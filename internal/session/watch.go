package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/pbft/wire"
	"tagma/statemachine"
)

// Why a watch can end.
var (
	// ErrManyWatches says that the replicas hold as many watches as they admit.
	ErrManyWatches = errors.New("the replicas hold as many watches as they admit; end some, or raise max_watches in their config.toml")
	// ErrNotFollowed says that the cluster's state tells no changes.
	ErrNotFollowed = statemachine.ErrNotFollowed
)

// Times and bounds of watches.
const (
	watchLook    = 100 * time.Millisecond // between two looks at what is due
	watchAgain   = 250 * time.Millisecond // before a replica that was not reached is asked again; doubles
	watchLast    = 4 * time.Second
	watchSilence = 5 * time.Second        // a replica that says nothing for so long is asked again; replicas say something every second
	watchStall   = 250 * time.Millisecond // another replica is asked for the events if they are late by so much
	watchBacklog = 1 << 20                // bytes that may wait for the caller before replicas are held up

	// watchFlood bounds what is kept of what one replica says. A replica stops at the window, a frame at most beyond it.
	watchFlood = wire.WatchWindow + 4<<20
)

// watches are the open watches. They use the session's links and nothing else of it.
type watches struct {
	last   uint64 // the number given last
	open   []*Watch
	by     map[uint64]*follower
	next   time.Duration // when to look again
	credit [][]wire.Taken
}

// Watch follows the changes of a range of keys. Each replica states, part by part, what was changed and that nothing else
// was. What f+1 replicas say alike about everything after the last accepted statement is accepted: an omission needs f+1
// liars like an invention.
//
//   - at: all changes up to this revision were accepted.
//   - open, parts: so many parts of revision open, which follows at, were accepted; open is 0 between two revisions.
type Watch struct {
	start, end []byte
	told       func()
	whole      int // the replica that is to send the events themselves

	at, open uint64
	parts    uint32
	pending  [][]byte // events of the accepted parts

	followers []*follower
	stalled   time.Duration // since when accepted digests wait for their events; 0: they do not
	ready     []statemachine.Update
	bytes     int // of what is ready
	ended     error
}

// follower is what one replica says for a watch.
type follower struct {
	w       *Watch
	replica int
	id      uint64 // of the present subscription; 0: none yet
	whole   bool
	stand   stand
	upto    uint64 // it has told everything up to here
	oldest  uint64 // if it has compacted what follows
	items   []wire.ChangeItem
	frames  []watchFrame

	received, taken, credited uint64 // bytes of this subscription's frames

	heard, again, wait time.Duration
}

// watchFrame is a frame that is not taken yet: it is once its last statement is settled.
type watchFrame struct {
	upto, rev uint64
	part      uint32
	bytes     int
}

// stand is how a follower takes part.
type stand uint8

const (
	standAsked     stand = iota // nothing was heard yet
	standTells                  // it counts
	standCompacted              // it cannot tell what follows
	standRefuses
	standUnknown
	standLies // it contradicted f+1 replicas, or the protocol, and is not asked again
)

// Watch begins to follow the keys start ≤ key < end; an empty end means no end. Told is called, within the session's
// methods, when the watch has something new for its caller.
func (s *Session) Watch(now time.Duration, start, end []byte, after uint64, told func()) (*Watch, error) {
	s.now = now
	switch {
	case len(start) > wire.MaxWatchKey || len(end) > wire.MaxWatchKey:
		return nil, fmt.Errorf("%w: the bounds of a watch have at most %d bytes", ErrTooLarge, wire.MaxWatchKey)
	case s.closed:
		return nil, ErrClosed
	}
	ws := &s.watches
	if ws.by == nil {
		ws.by, ws.credit = make(map[uint64]*follower), make([][]wire.Taken, s.cfg.Replicas)
	}
	w := &Watch{start: start, end: end, told: told, at: after, whole: int(ws.last) / s.cfg.Replicas % s.cfg.Replicas}
	for i := range s.cfg.Replicas {
		w.followers = append(w.followers, &follower{w: w, replica: i, wait: watchAgain})
	}
	ws.open = append(ws.open, w)
	for _, f := range w.followers {
		s.subscribe(f)
	}
	ws.next = min(max(ws.next, now), now+watchLook)
	return w, nil
}

// Take returns what was accepted since the last call, and why the watch has ended, if it has and nothing is left.
func (s *Session) Take(now time.Duration, w *Watch) ([]statemachine.Update, error) {
	s.now = now
	ready := w.ready
	full := w.bytes > watchBacklog
	w.ready, w.bytes = nil, 0
	if full && w.ended == nil {
		for _, f := range w.followers {
			f.heard = now
		}
		s.settleWatch(w)
		s.sendCredit()
	}
	if len(ready) > 0 {
		return ready, nil
	}
	return nil, w.ended
}

// Unwatch ends a watch.
func (s *Session) Unwatch(now time.Duration, w *Watch) {
	s.now = now
	s.endWatch(w, ErrClosed)
	s.sendCredit()
}

func (s *Session) endWatch(w *Watch, why error) {
	if w.ended != nil {
		return
	}
	w.ended = why
	for _, f := range w.followers {
		s.unsubscribe(f)
	}
	s.watches.open = slices.DeleteFunc(s.watches.open, func(o *Watch) bool { return o == w })
	w.told()
}

func (s *Session) closeWatches() {
	for len(s.watches.open) > 0 {
		s.endWatch(s.watches.open[0], ErrClosed)
	}
}

// subscribe asks a replica to tell the watch what follows its last accepted revision.
func (s *Session) subscribe(f *follower) {
	s.unsubscribe(f)
	ws := &s.watches
	ws.last++
	*f = follower{
		w: f.w, replica: f.replica, id: ws.last, whole: f.replica == f.w.whole, upto: f.w.at, heard: s.now,
		again: s.now + f.wait, wait: min(2*f.wait, watchLast),
	}
	ws.by[f.id] = f
	ask := &wire.Watch{ID: f.id, After: f.w.at, Start: f.w.start, End: f.w.end, Whole: f.whole}
	if !s.cfg.Host.Send(f.replica, wire.Encode(ask)) {
		f.heard = s.now - watchSilence // it is not connected: asked again soon
	}
}

func (s *Session) unsubscribe(f *follower) {
	if f.id == 0 {
		return
	}
	delete(s.watches.by, f.id)
	if f.stand == standAsked || f.stand == standTells || f.stand == standLies {
		s.watches.credit[f.replica] = append(s.watches.credit[f.replica], wire.Taken{ID: f.id, Bytes: wire.WatchEnd})
	}
	f.id = 0
}

// attached subscribes again at a replica, whose link may be new and does not know the watches then.
func (s *Session) attached(from int) {
	for _, w := range s.watches.open {
		f := w.followers[from]
		if f.stand == standLies || f.stand == standAsked && f.heard == s.now {
			continue
		}
		f.wait = watchAgain
		s.subscribe(f)
	}
	s.sendCredit()
}

// dueWatches asks again whom it is time to ask.
func (s *Session) dueWatches() {
	ws := &s.watches
	if len(ws.open) == 0 || s.now < ws.next {
		return
	}
	ws.next = s.now + watchLook
	for _, w := range slices.Clone(ws.open) {
		for _, f := range w.followers {
			if s.dueAgain(f) {
				s.subscribe(f)
			}
		}
		if w.stalled > 0 && s.now-w.stalled >= watchStall {
			s.askElsewhere(w)
		}
	}
	s.sendCredit()
}

func (s *Session) dueAgain(f *follower) bool {
	if f.again > s.now {
		return false
	}
	switch f.stand {
	case standAsked, standTells:
		return f.w.bytes <= watchBacklog && s.now-f.heard >= watchSilence
	case standCompacted:
		return f.w.at >= f.oldest
	case standRefuses, standUnknown:
		return true
	default:
		return false
	}
}

// askElsewhere asks the next replica that agrees with the accepted digests for the events, since they do not come from
// where they should.
func (s *Session) askElsewhere(w *Watch) {
	w.stalled = s.now
	for i := 1; i <= len(w.followers); i++ {
		f := w.followers[(w.whole+i)%len(w.followers)]
		if _, has := f.next(); has && f.stand == standTells && !f.whole {
			w.whole = f.replica
			s.subscribe(f)
			return
		}
	}
}

// sendCredit tells replicas how much was taken, so that they send more.
func (s *Session) sendCredit() {
	for to, taken := range s.watches.credit {
		if len(taken) == 0 {
			continue
		}
		slices.SortFunc(taken, func(a, b wire.Taken) int {
			if a.ID < b.ID {
				return -1
			}
			return 1
		})
		s.cfg.Host.Send(to, wire.Encode(&wire.WatchTaken{Taken: taken})) // without a link there is nothing to tell
		s.watches.credit[to] = nil
	}
}
