package node

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// giver runs a replica's donor on a goroutine of its own: whoever lags is helped while ordering goes on, and may wait.
type giver struct {
	donor     *replica.Donor
	now       func() time.Duration
	questions *mailbox
	given     atomic.Pointer[replica.Given]
	counted   replica.Given // what the metrics know of
	metrics   *metrics

	mu     sync.Mutex
	offers []wire.StableCert // that the donor has not taken yet
}

// How much of one replica waits for the donor. Its questions are short, and asked again.
const (
	questionLetters = 64
	questionBytes   = 1 << 20
)

// newestOffers is how many checkpoints are worth handing on.
const newestOffers = 3

func newGiver(cfg *wire.Config, donor *replica.Donor, now func() time.Duration, m *metrics) *giver {
	g := &giver{donor: donor, now: now, questions: newMailbox(cfg.N(), questionLetters, questionBytes, m.lostQuestions), metrics: m}
	g.given.Store(&replica.Given{})
	return g
}

// offer hands a checkpoint over; it never waits.
func (g *giver) offer(cert wire.StableCert) {
	g.mu.Lock()
	g.offers = append(g.offers, cert)
	if extra := len(g.offers) - newestOffers; extra > 0 {
		g.offers = slices.Delete(g.offers, 0, extra)
	}
	g.mu.Unlock()
	g.questions.ring()
}

// run answers until the context ends.
func (g *giver) run(ctx context.Context) {
	defer g.donor.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		g.takeOffers()
		g.answer(g.questions.take())
		more := g.donor.Step(g.now())
		g.publish()
		if more {
			select {
			case <-tick.C:
				g.donor.Tick(g.now())
			default:
			}
			continue
		}
		select {
		case <-g.questions.ready:
		case <-tick.C:
			g.donor.Tick(g.now())
		case <-ctx.Done():
		}
	}
}

func (g *giver) takeOffers() {
	g.mu.Lock()
	offers := g.offers
	g.offers = nil
	g.mu.Unlock()
	for _, cert := range offers {
		g.donor.Offer(cert)
	}
}

func (g *giver) answer(letters []letter) {
	for _, l := range letters {
		g.donor.Ask(l.from, l.msg.Message(), g.now())
	}
}

func (g *giver) publish() {
	now := g.donor.Given()
	if now == *g.given.Load() {
		return
	}
	g.given.Store(&now)
	was := &g.counted
	g.metrics.givenBatches.Add(float64(now.Batches - was.Batches))
	g.metrics.givenAnswers.Add(float64(now.Answers - was.Answers))
	g.metrics.givenRefused.Add(float64(now.Refused - was.Refused))
	g.metrics.bytesGiven.Add(float64(now.Bytes - was.Bytes))
	g.counted = now
}
