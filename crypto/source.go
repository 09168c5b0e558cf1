package crypto

import "sync"

// Class says whose claims are verified first.
type Class int

// The classes of sources.
const (
	Votes   Class = iota // replicas
	Clients              // clients' messages must not delay votes, but always get their share
	classes
)

// The amount that one source may have under way, from Submit to the end of delivery. A larger message is admitted
// when nothing else of the source is under way.
const (
	sourceMessages = 2 * batchLimit
	sourceBytes    = 256 << 10
)

// For each false message of a sender, its next penalty messages are verified alone; maxPenalty bounds their number.
const (
	penalty    = 64
	maxPenalty = 4096
)

// Sender stands for one origin of messages, with one or several sources. The sources share the sender's turns, so that
// having many gives no advantage over other senders, and they share the suspicion when a claim over one of them is false.
type Sender struct {
	pool  *Pool
	class Class

	// Guarded by the pool's lock.
	ready  fifo[*Source] // the sources with waiting messages
	listed bool          // in the backlog's queue
	alone  int           // how many of the next messages are verified alone
}

// NewSender returns a sender without sources. It needs no closing.
func (p *Pool) NewSender(class Class) *Sender { return &Sender{pool: p, class: class} }

// Source is a link from which messages come in order.
type Source struct {
	from  *Sender
	queue fifo[*job] // not yet taken by a worker; guarded by the pool's lock

	mu         sync.Mutex
	changed    sync.Cond // signalled when there is more room, or nothing is under way any more
	order      []*job    // messages that were submitted and not yet taken for delivery
	messages   int       // messages under way
	bytes      int       // bytes of their claims
	delivering bool
}

// NewSource returns a source of this sender. It needs no closing.
func (s *Sender) NewSource() *Source {
	source := &Source{from: s}
	source.changed.L = &source.mu
	return source
}

// NewSource returns the only source of a new sender.
func (p *Pool) NewSource(class Class) *Source { return p.NewSender(class).NewSource() }

// Wait returns when everything submitted for this source is delivered.
func (s *Source) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.messages > 0 || s.delivering {
		s.changed.Wait()
	}
}

// enter waits for room and adds the message to the order of delivery.
func (s *Source) enter(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.messages > 0 && (s.messages >= sourceMessages || s.bytes+j.bytes > sourceBytes) {
		s.changed.Wait()
	}
	s.messages++
	s.bytes += j.bytes
	s.order = append(s.order, j)
}

// judged updates how many messages of this sender are verified alone. The pool's lock must be held.
func (s *Sender) judged(holds bool) {
	switch {
	case !holds:
		s.alone = min(s.alone+penalty, maxPenalty)
	case s.alone > 0:
		s.alone--
	}
}

// settle records a verdict and reports whether the caller must deliver.
func (s *Source) settle(j *job, holds bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	j.done, j.holds = true, holds
	if s.delivering || !s.order[0].done {
		return false
	}
	s.delivering = true
	return true
}

// deliver delivers verdicts as far as the order allows. Only one goroutine at a time does so for a source.
func (s *Source) deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.order) > 0 && s.order[0].done {
		j := s.order[0]
		s.order[0], s.order = nil, s.order[1:]
		s.mu.Unlock()
		j.deliver(j.holds)
		s.mu.Lock()
		s.messages--
		s.bytes -= j.bytes
		s.changed.Broadcast()
		s.from.pool.open.Done()
	}
	s.delivering = false
	s.changed.Broadcast()
}
