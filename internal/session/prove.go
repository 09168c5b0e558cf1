package session

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tagma/internal/proof"
	"tagma/pbft/wire"
)

// ErrNotStable says that no stable checkpoint is as new as asked for.
var ErrNotStable = errors.New("no stable checkpoint is that new yet")

// provePatience is how long one replica may take for a proof before another one is asked, too.
const provePatience = 250 * time.Millisecond

// Prove is one question for a proven read. A single replica's answer suffices, so the replicas are asked one after the
// other, until one gives a proof that holds.
type Prove struct {
	message wire.Prove
	frame   []byte
	decided func([]byte, wire.Seq, error)
	began   time.Duration
	again   time.Duration // when to ask the next replica
	wait    time.Duration
	next    int        // the replica to ask next
	left    int        // replicas that were not asked in this round
	stable  []wire.Seq // by replica: the checkpoint that it could prove from, plus 1; 0: it did not answer
	owed    []int      // by replica: answers that it still owes
}

// proving are the open questions for proofs.
type proving struct {
	last uint64 // the nonce given last
	open []*Prove
}

// AskProof asks for a proof of what an application key holds at a stable checkpoint at from or above. Decided is called
// with the proof and its sequence number, or with ErrNotStable, unless EndProve is called first.
func (s *Session) AskProof(now time.Duration, key []byte, from wire.Seq, decided func([]byte, wire.Seq, error)) (*Prove, error) {
	s.now = now
	switch most := s.cfg.Limits.OpBytes; {
	case len(key) > most:
		return nil, fmt.Errorf("%w: the key has %d bytes; at most %d are allowed (max_op_bytes)", ErrTooLarge, len(key), most)
	case !from.Valid():
		return nil, ErrNotStable
	case s.closed:
		return nil, ErrClosed
	}
	p := &s.proving
	p.last++
	q := &Prove{
		message: wire.Prove{Nonce: p.last, From: from, Key: key}, decided: decided, began: now, again: now, wait: provePatience,
		next: s.cfg.Random.IntN(s.cfg.Replicas), left: s.cfg.Replicas, stable: make([]wire.Seq, s.cfg.Replicas), owed: make([]int, s.cfg.Replicas),
	}
	q.frame = wire.Encode(&q.message)
	p.open = append(p.open, q)
	s.proveAgain()
	return q, nil
}

// proveAgain asks the next replica where the last one did not answer, and begins another round after all were asked.
func (s *Session) proveAgain() {
	for _, q := range s.proving.open {
		if q.again > s.now {
			continue
		}
		if q.left == 0 {
			q.left = s.cfg.Replicas
		}
		s.askNext(q)
	}
}

// askNext asks the next replica of the round that is connected. After a round the session waits longer.
func (s *Session) askNext(q *Prove) {
	for q.left > 0 {
		to := q.next
		q.next, q.left = (q.next+1)%s.cfg.Replicas, q.left-1
		if s.cfg.Host.Send(to, q.frame) {
			q.owed[to] = min(q.owed[to]+1, 2)
			break
		}
	}
	q.again = s.now + q.wait
	if q.left == 0 {
		q.wait = min(2*q.wait, lastAsk)
	}
}

// proven takes a replica's answer.
func (s *Session) proven(from int, m *wire.Proof) {
	i := slices.IndexFunc(s.proving.open, func(q *Prove) bool { return q.message.Nonce == m.Nonce })
	if i < 0 || s.proving.open[i].owed[from] == 0 {
		return
	}
	q := s.proving.open[i]
	q.owed[from]--
	if len(m.Document) > 0 {
		if seq, err := s.judgeProof(q, m.Document); err == nil {
			s.proving.forget(q)
			q.decided(m.Document, seq, nil)
			return
		}
	} else {
		q.stable[from] = m.Stable + 1
	}
	heard := 0
	for _, stable := range q.stable {
		if stable > 0 {
			heard++
		}
	}
	if heard >= s.cfg.remaining() && s.now-q.began >= catchUp {
		s.proving.forget(q)
		q.decided(nil, 0, fmt.Errorf("%w: checkpoint %d was asked for, or a later one", ErrNotStable, q.message.From))
		return
	}
	if q.left > 0 { // else each of them is asked again after a while
		s.askNext(q)
	}
}

// judgeProof returns the sequence number of a proof that holds and answers the question.
func (s *Session) judgeProof(q *Prove, document []byte) (wire.Seq, error) {
	read, err := proof.DecodeRead(document)
	if err != nil {
		return 0, err
	}
	seq, err := read.Verify(s.cfg.Protocol, s.cfg.Holds)
	switch {
	case err != nil:
		return 0, err
	case string(read.Key) != string(q.message.Key):
		return 0, errors.New("it is about another key")
	case seq < q.message.From:
		return 0, ErrNotStable
	}
	return seq, nil
}

func (p *proving) forget(q *Prove) {
	p.open = slices.DeleteFunc(p.open, func(o *Prove) bool { return o == q })
}

func (p *proving) wake() time.Duration {
	at := never
	for _, q := range p.open {
		at = min(at, q.again)
	}
	return at
}

func (p *proving) close() {
	open := p.open
	p.open = nil
	for _, q := range open {
		q.decided(nil, 0, ErrClosed)
	}
}

// EndProve gives a question up, and returns the caller's error.
func (s *Session) EndProve(q *Prove, why error) error {
	s.proving.forget(q)
	return fmt.Errorf("no replica gave a proof that holds: %w", why)
}
