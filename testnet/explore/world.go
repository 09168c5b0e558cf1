package explore

import (
	"crypto/sha256"
	"fmt"
	"time"

	"tagma/pbft"
)

// world is what stays the same in one search: keys, configurations, the clients' requests and the batches made of them.
type world struct {
	slots     int
	base      pbft.Seq       // the slots searched lie above it: 0, or a window up
	forgets   [replicas]bool // who may forget everything
	byzantine pbft.ReplicaID
	configs   []pbft.Config
	moved     pbft.StableCert // the checkpoint at the base
	requests  []*pbft.Request // by slot: the one that its batches hold
	bodies    [maxSlots + 1][fourth + 1]*pbft.Body
}

const (
	replicas = 4
	quorum   = 3
	weak     = 2
	window   = 8 // L
)

// nobody is who is Byzantine in a search of correct replicas alone.
const nobody pbft.ReplicaID = replicas

// liars is how many replicas are Byzantine.
func (w *world) liars() int {
	if w.byzantine == nobody {
		return 0
	}
	return 1
}

// searched turns a sequence number into the one that the search has for it, counted from its base; false if it has none.
func (w *world) searched(s pbft.Seq) (pbft.Seq, bool) {
	return s - min(s, w.base), s > w.base && s <= w.base+pbft.Seq(w.slots)
}

func newWorld(o Options, c cast) *world {
	slots := o.Slots
	w := &world{slots: slots, byzantine: c.byzantine}
	w.forgets = o.mayForget(c)
	if o.Above {
		w.base = window
	}
	base := pbft.Config{
		Cluster:            pbft.Digest{1},
		CheckpointInterval: 4, // above every sequence number of a search: checkpoints are left to the simulator
		LogWindow:          window,
		MaxBatch:           1,
		ViewTimeout:        time.Second,
		MaxViewTimeout:     8 * time.Second,
	}.WithDefaults()
	for i := range replicas {
		base.Members = append(base.Members, key("replica", i))
	}
	for i := range replicas {
		cfg := base
		cfg.Self = pbft.ReplicaID(i)
		w.configs = append(w.configs, cfg)
	}
	w.moved = w.moveUp()
	for s := 1; s <= slots; s++ {
		client := key("client", 0)
		r := &pbft.Request{ID: pbft.RequestID{Client: client, Session: 1, T: uint64(s)}, Ops: [][]byte{fmt.Appendf(nil, "op %d", s)}}
		pbft.SignRequest(base.Cluster, r, signer(client))
		w.requests = append(w.requests, r)
	}
	for s := 1; s <= slots; s++ {
		own, other := w.requests[s-1], w.requests[slots-s]
		w.bodies[s] = [fourth + 1]*pbft.Body{
			null:  pbft.NullBody,
			first: batch(0, own), second: batch(1, own), third: batch(0, other), fourth: batch(1, other),
		}
	}
	return w
}

// batch is what a replica's primary makes of a request.
func batch(primary pbft.ReplicaID, r *pbft.Request) *pbft.Body {
	b := &pbft.Body{Time: wallOf(primary), Requests: []*pbft.Request{r}}
	b.Digest() // remembered before the body is shared
	return b
}

// wallOf is a replica's wall clock, which stands still. It differs between the primaries of consecutive views, so that
// each proposes by itself what conflicts with the other's batch.
func wallOf(id pbft.ReplicaID) int64 { return 1 + int64(id%2) }

// valueOf is the value with a digest. An unknown digest is a batch beyond the bounds: it never gets a quorum.
func (w *world) valueOf(s pbft.Seq, d pbft.Digest) value {
	for v := null; v <= fourth; v++ {
		if w.bodies[s][v].Digest() == d {
			return v
		}
	}
	panic(fmt.Sprintf("explore: digest %v at %d is none of the search's batches", d, s))
}

func (w *world) digest(s pbft.Seq, v value) pbft.Digest { return w.bodies[s][v].Digest() }

// key is the stand-in for a key pair.
func key(name string, i int) pbft.PublicKey { return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i)) }

// signer signs with a keyed hash. The search hands the attacker no other key than its own: what it may build from others'
// statements is listed in attacker.go, so nothing is forged by construction.
func signer(k pbft.PublicKey) func([]byte) pbft.Signature {
	return func(b []byte) (s pbft.Signature) {
		half := sha256.Sum256(append(append([]byte("secret"), k[:]...), b...))
		copy(s[:], half[:])
		copy(s[32:], half[:])
		return s
	}
}

// holds verifies the stand-in signatures.
func (w *world) holds(claims []pbft.Claim) bool {
	for _, c := range claims {
		if signer(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// sign signs a message as one of the replicas.
func (w *world) sign(id pbft.ReplicaID, m pbft.Message) pbft.Message {
	pbft.Sign(&w.configs[id], m, signer(w.configs[id].Members[id]))
	return m
}
