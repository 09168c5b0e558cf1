package check

import (
	"encoding/binary"
	"hash/maphash"
	"maps"

	"tagma/pbft/wire"
)

// clients records what was executed for clients, and which results they believe.
type clients struct {
	sessions map[wire.SessionID]*session
	top      wire.Seq // the highest sequence number with an acknowledged operation
}

// session records which requests of a session were executed: all with numbers below done, and those in above.
type session struct {
	done     uint64
	above    map[uint64]bool
	executed map[uint64]executed // executed requests, until the client says that it has their results
	known    uint64              // the client has all results below
}

type executed struct {
	seq             wire.Seq
	request, result wire.Digest
}

// genuine checks I16 once for each sequence number: the requests that are executed there have valid signatures of
// clients.
func (m *Monitor) genuine(by wire.ReplicaID, seq wire.Seq, b *wire.Body) {
	s := m.order.at(seq)
	if s == nil || s.genuine || m.holds == nil {
		return
	}
	s.genuine = true
	var claims []wire.Claim
	for _, r := range b.Requests {
		m.checked(i16)
		claims = append(claims, m.claim(r, r.Sig))
		if m.cfg.Client != nil && !m.cfg.Client(r.ID.Client) {
			m.fail(i16, by, "replica %d executes at %d a request of %v, who is no client", by, seq, r.ID.Client)
		}
	}
	if len(claims) > 0 && !m.holds(claims) {
		m.fail(i16, by, "replica %d executes at %d a request that its client did not sign", by, seq)
	}
}

func (c *clients) session(id wire.RequestID) *session {
	name := id.Of()
	s := c.sessions[name]
	if s == nil {
		s = &session{done: 1, above: make(map[uint64]bool), executed: make(map[uint64]executed)}
		c.sessions[name] = s
	}
	return s
}

// answers checks I3: each request is executed at one place only, and all replicas give equal answers.
func (m *Monitor) answers(o *observed, s *agreed, seq wire.Seq, body *wire.Body, replies []*wire.Reply) {
	if m.breaks(i3, len(replies) != len(body.Requests)) {
		m.fail(i3, o.id, "replica %d answers %d of %d requests at %d", o.id, len(replies), len(body.Requests), seq)
		return
	}
	again := s.answered.given // another replica executed the batch before, or this replica did before a crash
	first, differs := agree(&s.answered, said{digest: digestOf(replies), by: o.id})
	if differs {
		m.fail(i3, o.id, "replicas %d and %d answer the batch at %d differently", first.by, o.id, seq)
	}
	if again {
		return
	}
	for i, reply := range replies {
		m.executedOnce(o, seq, body.Requests[i], reply)
	}
}

// executedOnce records a reply in a batch that is executed for the first time.
func (m *Monitor) executedOnce(o *observed, seq wire.Seq, r *wire.Request, reply *wire.Reply) {
	if reply.ID != r.ID {
		m.fail(i3, o.id, "replica %d answers request %d at %d in place of request %d", o.id, reply.ID.T, seq, r.ID.T)
		return
	}
	c := m.clients.session(r.ID)
	if reply.Outcome == wire.OutcomeExecuted {
		m.checked(i3)
		now := executed{seq: reply.Seq, request: reply.Request, result: resultOf(reply)}
		before, remembered := c.executed[r.ID.T]
		switch {
		case remembered && before != now:
			m.fail(i3, o.id, "request %d of client %v was executed at %d, and again at %d", r.ID.T, r.ID.Client, before.seq, reply.Seq)
		case !remembered && c.was(r.ID.T) && reply.Seq == seq:
			m.fail(i3, o.id, "request %d of client %v is executed again at %d", r.ID.T, r.ID.Client, seq)
		case !remembered && !c.was(r.ID.T) && reply.Seq != seq && reply.Seq > m.order.floor:
			m.fail(i3, o.id, "request %d of client %v is answered as of %d, where it was not executed", r.ID.T, r.ID.Client, reply.Seq)
		case !remembered:
			c.add(r.ID.T, now)
		}
	}
	c.acknowledged(r.AckedBelow)
}

// Replied checks I3 for a reply that a correct replica sends to a client, with whole results or a digest: the replica has
// executed the request, and the reply holds the result of its execution.
func (m *Monitor) Replied(id wire.ReplicaID, r *wire.Reply) {
	o := m.of(id)
	if o == nil || r.Outcome != wire.OutcomeExecuted {
		return
	}
	if m.breaks(i3, r.Seq > o.applied) {
		m.fail(i3, id, "replica %d answers request %d as of %d, and has executed up to %d", id, r.ID.T, r.Seq, o.applied)
	}
	known, remembered := m.clients.session(r.ID).executed[r.ID.T]
	if remembered && known != (executed{r.Seq, r.Request, resultOf(r)}) {
		m.fail(i3, id, "replica %d answers request %d with what is not the result of its execution at %d", id, r.ID.T, known.seq)
	}
}

func (s *session) was(t uint64) bool { return t < s.done || s.above[t] }

func (s *session) add(t uint64, e executed) {
	s.executed[t] = e
	s.above[t] = true
	for s.above[s.done] {
		delete(s.above, s.done)
		s.done++
	}
}

// acknowledged drops results that the client has received.
func (s *session) acknowledged(below uint64) {
	if below <= s.known {
		return
	}
	if below-s.known > uint64(len(s.executed)) {
		maps.DeleteFunc(s.executed, func(t uint64, _ executed) bool { return t < below })
	} else {
		for t := s.known; t < below; t++ {
			delete(s.executed, t)
		}
	}
	s.known = below
}

func resultOf(r *wire.Reply) wire.Digest {
	if r.ResultDigest != nil {
		return *r.ResultDigest
	}
	return wire.DigestResults(r.Results)
}

// answersSeed is random in each process: the hashes are compared only within it.
var answersSeed = maphash.MakeSeed()

// digestOf is a digest of all replies to a batch.
func digestOf(replies []*wire.Reply) (d wire.Digest) {
	var h maphash.Hash
	h.SetSeed(answersSeed)
	for _, r := range replies {
		maphash.WriteComparable(&h, r.ID)
		maphash.WriteComparable(&h, executed{seq: r.Seq, request: r.Request})
		_ = h.WriteByte(byte(r.Outcome))
		if r.ResultDigest != nil {
			_, _ = h.Write(r.ResultDigest[:])
		}
		for _, result := range r.Results {
			maphash.WriteComparable(&h, len(result))
			_, _ = h.Write(result)
		}
	}
	binary.BigEndian.PutUint64(d[:], h.Sum64())
	return d
}

// Acceptance is what a client believes about one of its requests.
type Acceptance struct {
	ID      wire.RequestID
	Request wire.Digest // content digest
	Outcome wire.Outcome
	Seq     wire.Seq
	Result  wire.Digest      // wire.DigestResults of the results
	Voters  []wire.ReplicaID // the replicas that answered so
}

// Accepted checks a result that a correct client believes (I12): f+1 distinct replicas must have given it, at least one
// of them correct, and it must be the result of the execution. An acknowledged result must never be lost (I9), so enough
// replicas must hold it durably by now.
func (m *Monitor) Accepted(a Acceptance) {
	m.checked(i12)
	var c crowd
	distinct, correct := 0, 0
	for _, id := range a.Voters {
		if int(id) < m.n && c.add(id) {
			distinct++
			if m.correct(id) {
				correct++
			}
		}
	}
	by := wire.ReplicaID(0)
	if len(a.Voters) > 0 {
		by = a.Voters[0]
	}
	if distinct < m.f+1 || correct == 0 {
		m.fail(i12, by, "client %v accepts request %d by the word of %d replicas, %d of them correct",
			a.ID.Client, a.ID.T, distinct, correct)
	}
	if a.Outcome != wire.OutcomeExecuted {
		return
	}
	s := m.clients.session(a.ID)
	known, remembered := s.executed[a.ID.T]
	switch {
	case !remembered && !s.was(a.ID.T):
		m.fail(i12, by, "client %v accepts request %d, which no correct replica executed", a.ID.Client, a.ID.T)
		return
	case remembered && known != (executed{a.Seq, a.Request, a.Result}):
		m.fail(i12, by, "client %v accepts for request %d what is not the result of its execution at %d", a.ID.Client, a.ID.T, known.seq)
	}
	m.survives(by, a.Seq)
}

// survives checks I9 at the moment of an acknowledgement: the correct replicas of a quorum hold a certificate for the
// batch durably, so that even a crash of all replicas cannot lose it. If votes leave before they are durable, at most f
// replicas may stop uncleanly at a time (D8.14).
func (m *Monitor) survives(by wire.ReplicaID, seq wire.Seq) {
	m.clients.top = max(m.clients.top, seq)
	s := m.order.at(seq)
	if s == nil || !s.committed.given {
		return
	}
	m.checked(i9)
	holders, faulty := 0, 0
	for _, o := range m.replicas {
		if !m.correct(o.id) {
			faulty++
			continue
		}
		d, durable := s.committed.digest, !m.cfg.Optimistic
		switch {
		case seq <= max(o.floor, o.durable.certified) || o.any(kindPrepared, seq, d, durable) ||
			o.any(kindDecided, seq, d, durable):
			holders++
		case seq <= o.lost: // the replica may have held a certificate before it lost its disk
			faulty++
		}
	}
	if holders+faulty < m.q {
		m.fail(i9, by, "an operation at %d is acknowledged, and only %d correct replicas hold it durably", seq, holders)
	}
}

// Converged is called at the end of a run whose faults have ended and whose replicas had time to catch up. Every correct
// replica must have executed everything that was acknowledged (I9). The exception is a cluster in which more than f replicas
// lost votes at once that they had sent: it is halted, and the last acknowledged operations may be lost (D8.14).
func (m *Monitor) Converged(up ...wire.ReplicaID) {
	if m.halted() {
		return
	}
	for _, id := range up {
		o := m.of(id)
		if o == nil {
			continue
		}
		if m.breaks(i9, o.applied < m.clients.top) {
			m.fail(i9, id, "an operation at %d was acknowledged, and replica %d has executed up to %d only", m.clients.top, id, o.applied)
		}
	}
}
