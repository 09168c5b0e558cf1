package node

import (
	"runtime"
	"sync"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/wire"
)

// verification lets a pool verify the signatures of the messages of all links, in batches that contain messages of
// several links. It passes on the messages of each link in order (S1, S2).
type verification struct {
	cfg      *wire.Config
	verifier *crypto.Verifier
	pool     *crypto.Pool
	votes    []*crypto.Source // by replica: for messages from its lane for votes
	bulk     []*crypto.Source // by replica: for messages from its bulk lane

	mu      sync.Mutex
	clients map[*network.ClientLink]*clientSource
	senders map[wire.PublicKey]*clientSender
}

// clientSource is the source for one link of a client.
type clientSource struct {
	*crypto.Source
	from *clientSender
}

// clientSender stands for a client key. All its links share one turn, however many there are (S4), both in the
// verification of signatures and when they wait for room in the lane to the loop.
type clientSender struct {
	*crypto.Sender
	links int

	entering chan struct{} // holds a token for the message that waits for room
}

func newClientSender(pool *crypto.Pool) *clientSender {
	return &clientSender{Sender: pool.NewSender(crypto.Clients), entering: make(chan struct{}, 1)}
}

func newVerification(cfg *wire.Config) *verification {
	members := make([][32]byte, len(cfg.Members))
	for i, k := range cfg.Members {
		members[i] = k
	}
	verifier := crypto.NewVerifier(claimsRemembered, members)
	v := &verification{
		cfg:      cfg,
		verifier: verifier,
		pool:     crypto.NewPool(verifier, runtime.GOMAXPROCS(0)),
		clients:  make(map[*network.ClientLink]*clientSource),
		senders:  make(map[wire.PublicKey]*clientSender),
	}
	for range members {
		v.votes = append(v.votes, v.pool.NewSource(crypto.Votes))
		v.bulk = append(v.bulk, v.pool.NewSource(crypto.Votes))
	}
	return v
}

// check checks a message's structure at once. The pool verifies its signatures later. Then it calls believed on a
// goroutine of the pool, or refused.
func (v *verification) check(from *crypto.Source, m wire.Message, believed func(wire.Verified), refused func(error)) {
	var claims []crypto.Claim
	// What Verify returns here must be believed only after the pool has verified the listed claims.
	message, err := wire.Verify(v.cfg, m, func(listed []wire.Claim) bool {
		claims = replica.Claims(nil, listed)
		return true
	})
	if err != nil {
		refused(err)
		return
	}
	v.pool.Submit(from, claims, func(holds bool) {
		if holds {
			believed(message)
		} else {
			refused(message.False())
		}
	})
}

// replica returns the source for a replica's frame of this length. The network reads the two lanes of a replica
// concurrently, and a vote must not wait until the signatures in a NewView are verified.
func (v *verification) replica(id, frameBytes int) *crypto.Source {
	if frameBytes >= network.BulkBytes {
		return v.bulk[id]
	}
	return v.votes[id]
}

// client returns the source for a client's link.
func (v *verification) client(link *network.ClientLink) *clientSource {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.clients[link]
	if s == nil {
		from := v.senders[link.Key()]
		if from == nil {
			from = newClientSender(v.pool)
			v.senders[link.Key()] = from
		}
		from.links++
		s = &clientSource{from.NewSource(), from}
		v.clients[link] = s
	}
	return s
}

// gone forgets a link. It is called after the link's last message was passed on.
func (v *verification) gone(link *network.ClientLink) {
	v.client(link).Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.clients, link)
	from := v.senders[link.Key()]
	if from.links--; from.links == 0 {
		delete(v.senders, link.Key())
	}
}

// close waits until every message is passed on. The links must have ended.
func (v *verification) close() { v.pool.Close() }
