package node

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/wire"
)

// giver runs a replica's donor on a goroutine of its own, so that it helps lagging replicas without delaying ordering.
type giver struct {
	donor     *replica.Donor
	now       func() time.Duration
	questions *mailbox
	given     atomic.Pointer[replica.Given]
	counted   replica.Given // what the metrics have counted already
	metrics   *metrics

	mu     sync.Mutex
	offers []wire.StableCert // checkpoints that the donor has not taken yet
}

// How many questions of one replica may wait for the donor, and how many bytes of questions. Questions are short, and
// are sent again if they are lost.
const (
	questionLetters = 64
	questionBytes   = 1 << 20
)

// newestOffers is how many of the newest checkpoints are passed on to the donor.
const newestOffers = 3

func newGiver(cfg *wire.Config, donor *replica.Donor, now func() time.Duration, m *metrics) *giver {
	g := &giver{donor: donor, now: now, questions: newMailbox(cfg.N()+1, questionLetters, questionBytes, m.lostQuestions), metrics: m}
	g.given.Store(&replica.Given{})
	return g
}

// offer passes on a checkpoint. It never blocks.
func (g *giver) offer(cert wire.StableCert) {
	g.mu.Lock()
	g.offers = append(g.offers, cert)
	if extra := len(g.offers) - newestOffers; extra > 0 {
		g.offers = slices.Delete(g.offers, 0, extra)
	}
	g.mu.Unlock()
	g.questions.ring()
}

// run answers questions until the context ends.
func (g *giver) run(ctx context.Context) {
	defer g.donor.Close()
	tick := time.NewTicker(replica.OutsidePause) // the questions of a client that takes a backup may wait this long
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
		var rested <-chan time.Time
		if rests := g.donor.Rests(g.now()); rests > 0 {
			rested = time.After(rests)
		}
		select {
		case <-g.questions.ready:
		case <-rested:
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

// outside is the client that takes a backup. Only one is served at a time, over the link that asked first.
type outside struct {
	may func(wire.PublicKey) bool // whether a client may take a backup
	id  wire.ReplicaID            // the client's number for the donor

	mu   sync.Mutex
	link *network.ClientLink
	used time.Time
}

// outsidePatience is how long a client that takes a backup may stop asking before another client may take one.
const outsidePatience = 10 * time.Second

// take reports whether this link is the one that is served, and serves it if no other link is.
func (o *outside) take(link *network.ClientLink, now time.Time) bool {
	if !o.may(link.Key()) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link != link && o.link != nil && o.link.Context().Err() == nil && now.Sub(o.used) < outsidePatience {
		return false
	}
	o.link, o.used = link, now
	return true
}

// send sends the donor's answers to the client.
func (o *outside) send(frame []byte) {
	o.mu.Lock()
	link := o.link
	o.mu.Unlock()
	if link != nil {
		link.Send(frame)
	}
}
