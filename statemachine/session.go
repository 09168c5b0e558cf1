package statemachine

import (
	"cmp"
	"slices"
)

// client is what is held per client key (C1).
type client struct {
	key        [32]byte
	floor      uint64     // no session at or below it is opened again
	held       []*session // ascending by number, all above floor
	replyBytes int        // over held
	touched    uint64     // the last batch that changed it, 0 if none since it was last sealed
}

// session is one window of request numbers (C2).
type session struct {
	owner      *client
	number     uint64
	acked      uint64   // the client holds the replies to every lower number
	replies    []cached // ascending by t, none below acked
	replyBytes int
	evicted    bool
	touched    uint64 // as of a client
}

// touched is what changed of the sessions since they were last sealed, in the order of first change.
type touched struct {
	seq      uint64 // the batch that is executed
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

// cached is the reply to one executed request; without a result, to one that was refused: its number is used up, so that no
// copy of it is executed when there is room again.
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

// open returns the session, and opens it if it is above the floor. Of the held sessions and the new one the lowest are
// evicted until there is room: that may be the new one itself, which then is expired, and nil is returned.
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

// settled returns the outcome that the session's number t has already and the reply that is cached under it; 0 if the
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

// inWindow tells whether a number t ≥ acked is one that may be in use.
func (s *session) inWindow(t uint64, lim *Limits) bool { return t-s.acked < lim.Window }

// admits tells whether a new number t ≥ acked may be executed now.
func (s *session) admits(t uint64, lim *Limits) bool {
	return s.inWindow(t, lim) &&
		s.replyBytes < lim.MaxReplyCacheBytes && s.owner.replyBytes < lim.MaxClientReplyBytes
}

// acknowledge raises acked and drops the replies below it.
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
