package crypto

import (
	"runtime"
	"sync"
)

// Pool verifies the claims of many sources on a bounded number of workers. What waits while all workers are busy is
// verified together, so batches grow with the load, and an idle pool never waits for more work.
//
// A source has its verdicts delivered in the order of its messages, may have so much under way before Submit makes it
// wait, and takes turns with the other senders of its class, so that it holds up nobody but its own. Votes go before
// clients, who keep a share of the work. A sender whose signature failed is verified alone for a while, and cannot
// spoil others' batches (S2).
//
// There are no resting goroutines: a worker ends when nothing waits. Methods may be called from any goroutine.
type Pool struct {
	verifier *Verifier
	workers  int
	open     sync.WaitGroup // messages that were submitted and not delivered

	mu      sync.Mutex
	running int // workers
	waiting backlog
}

// NewPool returns a pool that verifies with v on at most so many workers at once, at least one.
func NewPool(v *Verifier, workers int) *Pool {
	return &Pool{verifier: v, workers: max(1, workers)}
}

// job is a message's claims on their way through the pool.
type job struct {
	source  *Source
	claims  []Claim
	bytes   int
	deliver func(holds bool)

	done, holds bool // guarded by the source's lock
}

// Submit has the claims of a message verified, all or nothing, and then calls deliver, on a goroutine of the pool. The
// calls for one source come one after the other in the order of its messages; one that blocks holds up that source only.
// Submit itself waits while the source has too much under way; so deliver must not submit for its own source. The messages
// of one source are submitted by one goroutine at a time. Claims must not be changed until deliver is called.
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

// Close waits until everything that was submitted is delivered. Nothing may be submitted any more.
func (p *Pool) Close() { p.open.Wait() }

// work verifies one batch and hands its place on before it delivers, so that a delivery that blocks costs no worker.
func (p *Pool) work() {
	// Readers that have frames already submit them first: a wave of requests is one batch, and where nobody else wants to
	// run this costs nothing.
	runtime.Gosched()
	p.mu.Lock()
	if p.waiting.empty() { // another worker took what this one was started for
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

// judge verifies a batch together, and message by message when that shows a false claim.
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

// settle delivers what a batch completed: each source's on a goroutine of its own, the last one's on this.
func (p *Pool) settle(batch []*job, verdicts []bool) {
	var last *Source
	for i, j := range batch {
		if !j.source.settle(j, verdicts[i]) {
			continue // not its turn, or somebody delivers for this source already
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
