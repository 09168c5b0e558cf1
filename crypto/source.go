package crypto

import "sync"

// Class says whose claims have precedence.
type Class int

// The classes of sources.
const (
	Votes   Class = iota // replicas
	Clients              // their flood must not delay votes, but they always get their share
	classes
)

// What one source may have under way, from Submit to the end of its delivery. A message that is larger goes alone.
const (
	sourceMessages = 2 * batchLimit
	sourceBytes    = 256 << 10
)

// How many messages of a sender are verified alone for each false one, at most so many in all.
const (
	penalty    = 64
	maxPenalty = 4096
)

// Sender is whoever has one or several sources: they share its turns, so that another sender waits no longer for how many
// there are, and they share the suspicion that a false claim over one of them brings.
type Sender struct {
	pool  *Pool
	class Class

	// Guarded by the pool's lock.
	ready  fifo[*Source] // that have something waiting
	listed bool          // in the backlog
	alone  int           // so many messages are to be verified alone
}

// NewSender returns a sender without sources. It needs no closing.
func (p *Pool) NewSender(class Class) *Sender { return &Sender{pool: p, class: class} }

// Source is where messages come from in order: a link.
type Source struct {
	from  *Sender
	queue fifo[*job] // not yet taken by a worker; guarded by the pool's lock

	mu         sync.Mutex
	changed    sync.Cond // there is more room, or nothing under way any more
	order      []*job    // submitted, and not yet taken for delivery
	messages   int       // under way
	bytes      int       // of their claims
	delivering bool
}

// NewSource returns a source of this sender. It needs no closing.
func (s *Sender) NewSource() *Source {
	source := &Source{from: s}
	source.changed.L = &source.mu
	return source
}

// NewSource returns a source of the pool that is its sender's only one.
func (p *Pool) NewSource(class Class) *Source { return p.NewSender(class).NewSource() }

// Wait returns when everything that was submitted for this source is delivered.
func (s *Source) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.messages > 0 || s.delivering {
		s.changed.Wait()
	}
}

// enter waits for room, and puts the message into the order of delivery.
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

// judged notes whether this sender is to be trusted with a place in a batch. The pool's lock is held.
func (s *Sender) judged(holds bool) {
	switch {
	case !holds:
		s.alone = min(s.alone+penalty, maxPenalty)
	case s.alone > 0:
		s.alone--
	}
}

// settle records a verdict and reports whether the caller is to deliver.
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

// deliver hands out verdicts as far as the order allows. One goroutine at a time does it for a source.
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
