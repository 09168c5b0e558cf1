package crypto

import (
	"runtime"
	"sync"
)

// Pool verifies the claims of many sources on a bounded number of workers. Messages that arrive while all workers are
// busy are verified together, so batches grow with the load, and an idle pool never waits for more work.
//
// Each source's verdicts are delivered in the order of its messages. A source may have a bounded amount under way,
// beyond which Submit waits. The senders of a class take turns, so that a sender delays only itself. Votes go before
// clients, who are guaranteed a share of the work. Messages of a sender whose signature failed are verified alone for
// a while, so that they cannot make other senders' batches fail (S2).
//
// A worker's goroutine ends when no message waits. Methods may be called from any goroutine.
type Pool struct {
	verifier *Verifier
	workers  int
	open     sync.WaitGroup // counts messages that were submitted and not delivered

	mu      sync.Mutex
	running int // workers
	waiting backlog
}

// NewPool returns a pool that verifies with v on at most so many workers at a time, but at least one.
func NewPool(v *Verifier, workers int) *Pool {
	return &Pool{verifier: v, workers: max(1, workers)}
}

// job is one message's claims on their way through the pool.
type job struct {
	source  *Source
	claims  []Claim
	bytes   int
	deliver func(holds bool)

	done, holds bool // guarded by the source's lock
}

// Submit has all claims of a message verified together and then calls deliver on a goroutine of the pool. The calls for
// one source come one after the other, in the order of its messages; a call that blocks delays only that source. Submit
// itself waits while the source has too much under way, so deliver must not submit for its own source. Only one
// goroutine at a time may submit messages of a source. Claims must not be changed until deliver is called.
func (p *Pool) Submit(s *Source, claims []Claim, deliver func(holds bool)) {
	j := &job{source: s, claims: claims, deliver: deliver}
	for i := range claims {
		j.bytes += len(claims[i].Message)
	}
	p.open.Add(1)
	s.enter(j)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.add(j)
	if p.running < p.workers {
		p.running++
		go p.work()
	}
}

// Close waits until everything that was submitted is delivered. Nothing may be submitted after it was called.
func (p *Pool) Close() { p.open.Wait() }

// work verifies one batch. It lets the next worker start before it delivers, so that a delivery that blocks takes no worker.
func (p *Pool) work() {
	// Other goroutines that have received messages run first and submit them, so that requests that arrive together
	// form one batch. If no other goroutine wants to run, this costs nothing.
	runtime.Gosched()
	p.mu.Lock()
	if p.waiting.empty() { // another worker took the messages that this one was started for
		p.running--
		p.mu.Unlock()
		return
	}
	batch := p.waiting.take()
	p.mu.Unlock()

	verdicts := p.judge(batch)

	p.mu.Lock()
	for i, j := range batch {
		j.source.from.judged(verdicts[i])
	}
	if p.waiting.empty() {
		p.running--
	} else {
		go p.work()
	}
	p.mu.Unlock()

	p.settle(batch, verdicts)
}

// judge verifies a batch together. If a claim in it is false, it then verifies message by message.
func (p *Pool) judge(batch []*job) []bool {
	verdicts := make([]bool, len(batch))
	if len(batch) == 1 {
		verdicts[0] = p.verifier.Verify(batch[0].claims)
		return verdicts
	}
	var claims []Claim
	for _, j := range batch {
		claims = append(claims, j.claims...)
	}
	together := p.verifier.Verify(claims)
	for i, j := range batch {
		verdicts[i] = together || p.verifier.Verify(j.claims)
	}
	return verdicts
}

// settle delivers the verdicts that a batch completed. For each source it starts a goroutine, except for the last
// source, whose verdicts it delivers itself.
func (p *Pool) settle(batch []*job, verdicts []bool) {
	var last *Source
	for i, j := range batch {
		if !j.source.settle(j, verdicts[i]) {
			continue // an earlier message has no verdict yet, or another goroutine delivers for this source
		}
		if last != nil {
			go last.deliver()
		}
		last = j.source
	}
	if last != nil {
		last.deliver()
	}
}
