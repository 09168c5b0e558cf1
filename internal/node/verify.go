package node

import (
	"fmt"
	"runtime"
	"sync"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/network"
	"tagma/pbft/wire"
)

// verification has the signatures of every link's messages verified, many links' together, and hands each link's messages
// on in order (S1, S2).
type verification struct {
	cfg      *wire.Config
	verifier *crypto.Verifier
	pool     *crypto.Pool
	votes    []*crypto.Source // by replica: what came over its lane for votes
	bulk     []*crypto.Source // by replica: what came over its bulk lane

	mu      sync.Mutex
	clients map[*network.ClientLink]*clientSource
	senders map[wire.PublicKey]*clientSender
}

// clientSource is what comes over one link of a client.
type clientSource struct {
	*crypto.Source
	from *clientSender
}

// clientSender is a client key. Its links take turns as one, however many they are (S4): in the verification of signatures,
// and for room in the lane to the loop.
type clientSender struct {
	*crypto.Sender
	links int

	entering chan struct{} // a token for the message that waits for room
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

// check looks at a message's structure at once and at its signatures when it is their turn, then calls believed on a
// goroutine of the pool, or refused.
func (v *verification) check(from *crypto.Source, m wire.Message, believed func(wire.Verified), refused func(error)) {
	var claims []crypto.Claim
	// What Verify returns here is believed only when the pool has vouched for the claims it lists.
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
			refused(fmt.Errorf("%s: %w", wire.TypeOf(m), wire.ErrSignature))
		}
	})
}

// replica returns the source of a replica's frame of that many bytes. The network reads its two lanes side by side, and a
// vote is not to wait behind the signatures of a new view.
func (v *verification) replica(id, frameBytes int) *crypto.Source {
	if frameBytes >= network.BulkBytes {
		return v.bulk[id]
	}
	return v.votes[id]
}

// client returns the source of a client's link.
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

// gone forgets a link, after the last of its messages was handed on.
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

// close waits until everything is handed on; the links must have ended.
func (v *verification) close() { v.pool.Close() }
