package local

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/wire"
	"tagma/testnet/links"
)

// hostile is a transport that treats frames between replicas as a policy says. It does not change replies to clients.
// The policy does not apply to frames for a client that takes a backup; only attackers change those.
type hostile struct {
	self    wire.ReplicaID
	outside wire.ReplicaID // the id of a client that takes a backup
	epoch   time.Time

	mu     sync.Mutex
	under  driver.Transport // nil until the node is open
	spoil  []*gate          // attackers that change frames
	policy *links.Policy
	reads  bool          // a rule may depend on the content of a frame, so frames are decoded
	now    time.Duration // never goes back, even if the system's clock does
	queue  []delivery    // ordered by the time at which each is due
	wake   *time.Timer
}

// mostQueued bounds how many frames are on their way. Further frames are lost, as when a buffer is full.
const mostQueued = 1 << 16

func newHostile(self wire.ReplicaID, n int, s *Setup) *hostile {
	h := &hostile{
		self: self, outside: wire.ReplicaID(n), epoch: time.Unix(0, s.Epoch),
		policy: links.New(n, s.Network, rand.New(rand.NewPCG(s.Seed, uint64(self)))),
	}
	h.wake = time.AfterFunc(time.Hour, h.due)
	h.wake.Stop()
	return h
}

// around returns a transport that applies the policy to the frames of under.
func (h *hostile) around(under driver.Transport) driver.Transport {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.under = under
	return h
}

// spoiledBy sets the attackers that change frames, instead of those of an earlier instance.
func (h *hostile) spoiledBy(all []*gate) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spoil = nil
	for _, g := range all {
		if g.frames != nil {
			h.spoil = append(h.spoil, g)
		}
	}
}

// Send sends a frame to a replica, if the policy lets it pass and when.
func (h *hostile) Send(to wire.ReplicaID, frame []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	frames := [][]byte{frame}
	for _, g := range h.spoil {
		var spoilt [][]byte
		for _, f := range frames {
			spoilt = append(spoilt, g.pass(to, f)...)
		}
		frames = spoilt
	}
	for _, bytes := range frames {
		if to == h.outside {
			h.under.Send(to, bytes)
			continue
		}
		f := links.Frame{From: h.self, To: to, Bytes: bytes}
		if h.reads {
			if m, err := wire.Decode(bytes); err == nil {
				f.Message = m
			}
		}
		h.take(h.policy.Pass(h.time(), f))
	}
}

// Respond answers a client.
func (h *hostile) Respond(reply *wire.Reply) { h.under.Respond(reply) }

// do changes the links.
func (h *hostile) do(c links.Command) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = h.reads || c.Do == links.DoRule
	let, err := h.policy.Do(h.time(), c)
	h.take(let)
	return err
}

// fired returns for each command how many frames it has acted on.
func (h *hostile) fired() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.policy.Fired()
}

func (h *hostile) time() time.Duration {
	h.now = max(h.now, time.Since(h.epoch))
	return h.now
}

// take queues deliveries. A delivery that is due is sent at once, after all that were due before it.
func (h *hostile) take(let []links.Delivery) {
	for _, d := range let {
		if len(h.queue) >= mostQueued {
			break
		}
		due := h.now + d.After
		at, _ := slices.BinarySearchFunc(h.queue, due, func(q delivery, due time.Duration) int {
			if q.due <= due { // first come, first served
				return -1
			}
			return 1
		})
		h.queue = slices.Insert(h.queue, at, delivery{due: due, to: d.To, bytes: d.Bytes})
	}
	h.deliver()
}

// due is called by the timer.
func (h *hostile) due() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.time()
	h.deliver()
}

// deliver hands on the frames that are due, and sets the timer for the next one.
func (h *hostile) deliver() {
	n := 0
	for ; n < len(h.queue) && h.queue[n].due <= h.now; n++ {
		h.under.Send(h.queue[n].to, h.queue[n].bytes)
	}
	h.queue = slices.Delete(h.queue, 0, n)
	if len(h.queue) > 0 {
		h.wake.Reset(h.queue[0].due - h.now)
	}
}

// delivery is a frame on its way.
type delivery struct {
	due   time.Duration
	to    wire.ReplicaID
	bytes []byte
}
