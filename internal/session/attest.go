package session

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/internal/proof"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
)

// Why there is no certificate.
var (
	// ErrNothingAttested says that n−f replicas hold nothing of the kind in their executed state.
	ErrNothingAttested = errors.New("the replicas have nothing to attest")
	// ErrReplyGone says that f+1 replicas no longer hold the reply: the session acknowledged it or has expired.
	ErrReplyGone = errors.New("the replicas no longer hold the reply")
)

// Receipts says whether a call wants a receipt, and of how many signatures.
type Receipts uint8

// What a call can want.
const (
	NoReceipt     Receipts = iota
	WeakReceipt            // as many signatures as make it believable
	QuorumReceipt          // of a quorum
)

// need is the number of signatures.
func (r Receipts) need(m *attest.Members) int {
	if r == QuorumReceipt {
		return m.Quorum()
	}
	return m.Weak()
}

// asked is the timing of a question that is repeated until it is decided.
type asked struct {
	began time.Duration
	again time.Duration // when to ask again
	wait  time.Duration // how long to wait after that
}

// Attest is one question for a certificate (TX5).
type Attest struct {
	asked
	message wire.Attest
	frame   []byte
	expect  []byte // the only statement that counts; nil: any
	need    int    // signatures
	decided func(*attest.Certificate, [][]byte, error)
	said    votes[answerAt]
	signed  []attest.Signature // by replica; of those whose answer is a statement
	owed    []int              // by replica: answers that it still owes. Others are dropped, so liars cannot make us verify much
}

// certifying are the open questions for certificates, in the order of their nonces.
type certifying struct {
	last uint64 // the nonce given last
	open []*Attest
}

// Certify asks the replicas to sign a statement. Decided is called with the certificate once need replicas, 0 standing for
// as many as make it believable, signed the same statement and all their signatures were verified; or with
// ErrNothingAttested or ErrReplyGone. It is not called after EndAttest. The session calls it within its own methods, so
// it must not call the session. If results are asked for, they are those of the attested reply.
func (s *Session) Certify(now time.Duration, m wire.Attest, need int, decided func(*attest.Certificate, [][]byte, error)) (*Attest, error) {
	s.now = now
	switch most := s.cfg.Limits.OpBytes; {
	case len(m.Op) > most:
		return nil, fmt.Errorf("%w: the operation has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, len(m.Op), most)
	case s.closed:
		return nil, ErrClosed
	case m.What == wire.VouchedReply && m.T == 0:
		return nil, ErrNothingAttested
	}
	return s.certify(m, need, nil, decided), nil
}

func (s *Session) certify(m wire.Attest, need int, expect []byte, decided func(*attest.Certificate, [][]byte, error)) *Attest {
	c := &s.certifying
	c.last++
	m.Nonce = c.last
	if need == 0 {
		need = s.members.Weak()
	}
	q := &Attest{
		asked: asked{began: s.now, again: s.now, wait: firstAsk}, message: m, frame: wire.Encode(&m), expect: expect, need: need, decided: decided,
		said: make(votes[answerAt], s.cfg.Replicas), signed: make([]attest.Signature, s.cfg.Replicas), owed: make([]int, s.cfg.Replicas),
	}
	c.open = append(c.open, q)
	s.certifyAgain()
	return q
}

// badAnswer is what a vote holds for an answer that does not count. It is none of the outcomes that replicas send.
const badAnswer wire.QueryOutcome = 255

// certifyAgain repeats every due question to the replicas that have not signed.
func (s *Session) certifyAgain() {
	for _, q := range s.certifying.open {
		if q.again > s.now {
			continue
		}
		for to, a := range q.said {
			if a.outcome != wire.QueryOutcome(wire.Attested) || q.mayChange() {
				if s.cfg.Host.Send(to, q.frame) {
					q.owed[to] = min(q.owed[to]+1, 2)
				}
			}
		}
		q.again = s.now + q.wait
		q.wait = min(2*q.wait, lastAsk)
	}
}

// mayChange reports whether a replica that signed may sign another statement later. One whose machine lags behind may.
func (q *Attest) mayChange() bool { return q.message.What == wire.VouchedMachine }

// attested takes a replica's answer, which replaces its earlier one.
func (s *Session) attested(from int, m *wire.Attestation) {
	i := slices.IndexFunc(s.certifying.open, func(q *Attest) bool { return q.message.Nonce == m.Nonce })
	if i < 0 {
		return
	}
	q := s.certifying.open[i]
	if q.owed[from] == 0 {
		return
	}
	q.owed[from]--
	said := answerAt{outcome: wire.QueryOutcome(m.Outcome)}
	if m.Outcome == wire.Attested {
		said.result = sha256.Sum256(m.Statement)
		if !s.believes(q, from, m) {
			said.outcome = badAnswer
		}
	}
	q.said[from] = said
	agreeing := q.said.count(said)
	switch {
	case said.outcome == badAnswer:
	case m.Outcome == wire.Attested && agreeing >= q.need:
		results, whole := m.Results, !q.message.Results
		if reply, is := proof.ReplyIn(m.Statement); is && !whole {
			whole = wire.DigestResults(results) == reply.Results
		}
		if !whole { // a liar took the results away; the next answer brings them
			q.said[from] = answerAt{}
			return
		}
		c := &attest.Certificate{Cluster: s.members.ID, Epoch: s.members.Epoch, Statement: bytes.Clone(m.Statement)}
		for id, a := range q.said {
			if a == said {
				c.Signatures = append(c.Signatures, q.signed[id])
			}
		}
		s.certified(q, c, results, nil)
	case m.Outcome == wire.NoLongerHeld && agreeing >= s.cfg.Weak:
		s.certified(q, nil, nil, ErrReplyGone)
	case m.Outcome == wire.NothingAttested && agreeing >= s.cfg.remaining() && s.now-q.began >= catchUp:
		s.certified(q, nil, nil, ErrNothingAttested)
	}
}

// believes reports whether a statement answers the question and the replica signed it.
func (s *Session) believes(q *Attest, from int, m *wire.Attestation) bool {
	switch {
	case len(m.Statement) > attest.MaxStatement || attest.KindOf(m.Statement) != attest.Kind(q.message.What):
		return false
	case q.expect != nil && !bytes.Equal(m.Statement, q.expect):
		return false
	case q.message.What == wire.VouchedReply:
		reply, is := proof.ReplyIn(m.Statement)
		if !is || reply.ID != (wire.RequestID{Client: s.cfg.Client, Session: q.message.Session, T: q.message.T}) {
			return false
		}
	}
	q.signed[from] = attest.Signature{Replica: from, Sig: m.Sig}
	return s.cfg.Holds([]wire.Claim{{
		Signer: s.members.Keys[from], Signed: attest.Bytes(s.members.ID, s.members.Epoch, from, m.Statement), Sig: m.Sig,
	}})
}

func (s *Session) certified(q *Attest, c *attest.Certificate, results [][]byte, err error) {
	s.certifying.forget(q)
	q.decided(c, results, err)
}

func (c *certifying) forget(q *Attest) {
	c.open = slices.DeleteFunc(c.open, func(o *Attest) bool { return o == q })
}

// wake is when the next question is due.
func (c *certifying) wake() time.Duration {
	at := never
	for _, q := range c.open {
		at = min(at, q.again)
	}
	return at
}

// EndAttest gives a question up. It returns the caller's error, which says how many replicas answered and why the wait
// ended.
func (s *Session) EndAttest(q *Attest, why error) error {
	s.certifying.forget(q)
	return fmt.Errorf("%d of %d replicas answered, and no %d of them signed the same: %w",
		s.cfg.Replicas-q.said.count(answerAt{}), s.cfg.Replicas, q.need, why)
}

// close ends every question.
func (c *certifying) close() {
	open := c.open
	c.open = nil
	for _, q := range open {
		q.decided(nil, nil, ErrClosed)
	}
}

// NoReceiptError says that a request was executed, and that there is no receipt of it. The result comes with the error.
type NoReceiptError struct {
	Request wire.RequestID
	Cause   error // why the wait ended, or ErrReplyGone
}

// Error is one line.
func (e *NoReceiptError) Error() string {
	return fmt.Sprintf("request %d of session %d was executed, but there is no receipt of it: %v", e.Request.T, e.Request.Session, e.Cause)
}

// Unwrap is the cause.
func (e *NoReceiptError) Unwrap() error { return e.Cause }

// collect asks for the receipt of an executed request. Until it is there, or given up, the request keeps its number, so
// that the session does not acknowledge the reply, which the replicas would then drop.
func (s *Session) collect(r *Request, reply *wire.Reply) {
	s.due.remove(r)
	r.answer = reply
	m := wire.Attest{What: wire.VouchedReply, Session: r.id.Session, T: r.id.T}
	r.receipt = s.certify(m, r.Receipt.need(&s.members), proof.StatementOf(reply), func(c *attest.Certificate, _ [][]byte, err error) {
		r.receipt = nil
		if err != nil {
			s.finishHeld(r, nil, &NoReceiptError{r.id, err})
			return
		}
		receipt := proof.Receipt{Certificate: c, Request: r.frame, Results: reply.Results}
		s.finishHeld(r, receipt.Encode(), nil)
	})
}

// finishHeld ends a request that waited for its receipt.
func (s *Session) finishHeld(r *Request, receipt []byte, err error) {
	if r.receipt != nil {
		s.certifying.forget(r.receipt)
		r.receipt = nil
	}
	for _, c := range r.calls {
		c.finish(Result{Seq: uint64(r.answer.Seq), Outputs: r.answer.Results, Receipt: receipt}, err)
	}
	if !s.closed {
		s.retire(r.parcel)
		s.another()
	}
}
