package statemachine

import (
	"cmp"
	"slices"
)

// client is the state that is kept for one client key (C1).
type client struct {
	key        [32]byte
	floor      uint64     // sessions at or below it cannot be opened again
	held       []*session // ascending by number, all above floor
	replyBytes int        // bytes of cached replies in all held sessions
	touched    uint64     // the last batch that changed the client; 0 if none has since the last seal
}

// session is one session of a client: a window of request numbers (C2).
type session struct {
	owner      *client
	number     uint64
	acked      uint64   // the client holds the replies to every lower number
	replies    []cached // ascending by t; none has a t below acked
	replyBytes int
	evicted    bool
	touched    uint64 // the last batch that changed the session; 0 if none has since the last seal
}

// touched lists the clients and sessions that changed since the last seal, in the order of their first change.
type touched struct {
	seq      uint64 // the batch that is being executed
	clients  []*client
	sessions []*session
}

func (t *touched) client(c *client) {
	if c.touched == 0 {
		t.clients = append(t.clients, c)
	}
	c.touched = t.seq
}

func (t *touched) session(s *session) {
	if s.touched == 0 {
		t.sessions = append(t.sessions, s)
	}
	s.touched = t.seq
}

// cached is the reply to one executed request. Without results it stands for a request that was refused: its number is
// used up, so that no copy of the request is executed once there is room.
type cached struct {
	t       uint64
	digest  [32]byte
	seq     uint64
	results [][]byte
}

func (c *client) find(number uint64) *session {
	i, found := slices.BinarySearchFunc(c.held, number, compareSession)
	if !found {
		return nil
	}
	return c.held[i]
}

// open returns the session, and opens it if its number is above the floor. It then evicts the lowest sessions until
// there is room. If the new session is itself the lowest, it has expired, and the result is nil.
func (c *client) open(number uint64, lim *Limits, t *touched) *session {
	if s := c.find(number); s != nil {
		return s
	}
	if number <= c.floor {
		return nil
	}
	t.client(c)
	for len(c.held) >= lim.Sessions || c.replyBytes >= lim.MaxClientReplyBytes {
		lowest := c.held[0]
		if lowest.number > number {
			c.floor = number
			return nil
		}
		c.floor = lowest.number
		c.replyBytes -= lowest.replyBytes
		c.held = slices.Delete(c.held, 0, 1)
		lowest.evicted = true
		t.session(lowest)
	}
	s := &session{owner: c, number: number}
	t.session(s)
	i, _ := slices.BinarySearchFunc(c.held, number, compareSession)
	c.held = slices.Insert(c.held, i, s)
	return s
}

// settled returns the outcome that number t of the session already has, and the reply cached under it; outcome 0 if the
// number is new.
func (s *session) settled(t uint64, digest [32]byte) (Outcome, cached) {
	if t < s.acked {
		return OutcomeExpired, cached{}
	}
	i, found := slices.BinarySearchFunc(s.replies, t, compareCached)
	switch {
	case !found:
		return 0, cached{}
	case len(s.replies[i].results) == 0:
		return OutcomeRefused, s.replies[i]
	case s.replies[i].digest != digest:
		return OutcomeConflict, cached{seq: s.replies[i].seq}
	}
	return OutcomeExecuted, s.replies[i]
}

// inWindow reports whether a number t ≥ acked lies in the session's window.
func (s *session) inWindow(t uint64, lim *Limits) bool { return t-s.acked < lim.Window }

// admits reports whether a new number t ≥ acked may be executed now.
func (s *session) admits(t uint64, lim *Limits) bool {
	return s.inWindow(t, lim) &&
		s.replyBytes < lim.MaxReplyCacheBytes && s.owner.replyBytes < lim.MaxClientReplyBytes
}

// acknowledge raises acked and drops the cached replies below it.
func (s *session) acknowledge(below uint64, t *touched) {
	if below <= s.acked {
		return
	}
	s.acked = below
	t.session(s)
	n, _ := slices.BinarySearchFunc(s.replies, below, compareCached)
	for i := range s.replies[:n] {
		s.charge(-s.replies[i].size())
	}
	s.replies = slices.Delete(s.replies, 0, n)
}

// remember caches the reply to a new number.
func (s *session) remember(r cached, t *touched) {
	i, _ := slices.BinarySearchFunc(s.replies, r.t, compareCached)
	s.replies = slices.Insert(s.replies, i, r)
	s.charge(r.size())
	t.session(s)
}

func (s *session) charge(bytes int) {
	s.replyBytes += bytes
	s.owner.replyBytes += bytes
}

func compareSession(s *session, number uint64) int { return cmp.Compare(s.number, number) }

func compareCached(r cached, t uint64) int { return cmp.Compare(r.t, t) }
