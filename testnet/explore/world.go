package explore

import (
	"crypto/sha256"
	"fmt"
	"time"

	"tagma/pbft/wire"
)

// world is what does not change during one search: keys, configurations, the clients' requests, and the batches made of
// them.
type world struct {
	n, quorum int  // replicas, and how many of them are a quorum
	weak      int  // how many Suspects justify a view
	crash     bool // the crash-fault mode: three replicas, and no attacker (F1)
	slots     int
	base      wire.Seq       // the searched slots are above it: 0, or a window if Options.Above is set
	forgets   [replicas]bool // who may forget everything
	byzantine wire.ReplicaID
	configs   []wire.Config
	moved     wire.StableCert // the checkpoint at the base
	requests  []*wire.Request // by slot: the one that its batches hold
	bodies    [maxSlots + 1][fourth + 1]*wire.Body
	names     wire.Names // of the batches
}

const (
	replicas = 4 // at most
	window   = 8 // L
)

// nobody stands for the Byzantine replica in a search that has none.
const nobody wire.ReplicaID = replicas

// liars is how many replicas are Byzantine.
func (w *world) liars() int {
	if w.byzantine == nobody {
		return 0
	}
	return 1
}

// searched converts a sequence number to a slot, counted from the base. It returns false if the slot is not searched.
func (w *world) searched(s wire.Seq) (wire.Seq, bool) {
	return s - min(s, w.base), s > w.base && s <= w.base+wire.Seq(w.slots)
}

func newWorld(o Options, c cast) *world {
	slots := o.Slots
	w := &world{n: replicas, quorum: 3, weak: 2, slots: slots, byzantine: c.byzantine, names: wire.Names{}}
	w.forgets = o.mayForget(c)
	if w.crash = o.Crash; w.crash {
		w.n, w.quorum, w.weak = 3, 2, 1
	}
	if o.Above {
		w.base = window
	}
	base := wire.Config{
		Cluster:            wire.Digest{1},
		CheckpointInterval: 4, // above every sequence number of a search, because checkpoints are tested in the simulator
		LogWindow:          window,
		MaxBatch:           1,
		ViewTimeout:        time.Second,
		MaxViewTimeout:     8 * time.Second,
		Crash:              o.Crash,
	}.WithDefaults()
	for i := range w.n {
		base.Members = append(base.Members, key("replica", i))
	}
	for i := range w.n {
		cfg := base
		cfg.Self = wire.ReplicaID(i)
		w.configs = append(w.configs, cfg)
	}
	w.moved = w.moveUp()
	for s := 1; s <= slots; s++ {
		client := key("client", 0)
		r := &wire.Request{ID: wire.RequestID{Client: client, Session: 1, T: uint64(s)}, Ops: [][]byte{fmt.Appendf(nil, "op %d", s)}}
		wire.SignRequest(base.Cluster, r, signer(client))
		w.requests = append(w.requests, r)
	}
	for s := 1; s <= slots; s++ {
		own, other := w.requests[s-1], w.requests[slots-s]
		w.bodies[s] = [fourth + 1]*wire.Body{
			null:  wire.NullBody,
			first: batch(0, own), second: batch(1, own), third: batch(0, other), fourth: batch(1, other),
		}
		for v := fourth; v >= first; v-- { // if there is only one slot, C and D are equal to A and B
			w.names[w.digest(wire.Seq(s), v)] = v.String()
		}
	}
	return w
}

// batch returns the batch that a primary makes of a request.
func batch(primary wire.ReplicaID, r *wire.Request) *wire.Body {
	b := &wire.Body{Time: wallOf(primary), Requests: []*wire.Request{r}}
	b.Digest() // remembered before the body is shared
	return b
}

// wallOf returns a replica's wall clock, which stands still. It is different for the primaries of consecutive views, so
// that the batches that they propose have different digests.
func wallOf(id wire.ReplicaID) int64 { return 1 + int64(id%2) }

// valueOf returns the value with this digest. It panics for a digest that belongs to no batch of the search, because no
// replica may send one.
func (w *world) valueOf(s wire.Seq, d wire.Digest) value {
	for v := null; v <= fourth; v++ {
		if w.bodies[s][v].Digest() == d {
			return v
		}
	}
	panic(fmt.Sprintf("explore: digest %v at %d is none of the search's batches", d, s))
}

func (w *world) digest(s wire.Seq, v value) wire.Digest { return w.bodies[s][v].Digest() }

// key takes the place of a key pair.
func key(name string, i int) wire.PublicKey { return sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i)) }

// signer signs with a keyed hash. It could sign as any replica, but attacker.go uses it for another replica only where
// that replica has made the same statement.
func signer(k wire.PublicKey) func([]byte) wire.Signature {
	return func(b []byte) (s wire.Signature) {
		half := sha256.Sum256(append(append([]byte("secret"), k[:]...), b...))
		copy(s[:], half[:])
		copy(s[32:], half[:])
		return s
	}
}

// holds verifies the stand-in signatures.
func (w *world) holds(claims []wire.Claim) bool {
	for _, c := range claims {
		if signer(c.Signer)(c.Signed) != c.Sig {
			return false
		}
	}
	return true
}

// moveUp returns the certificate of the checkpoint at the base.
func (w *world) moveUp() wire.StableCert {
	cert := wire.StableCert{Seq: w.base}
	if w.base == 0 {
		return cert
	}
	cert.Digest = wire.Digest{byte(w.base)}
	for id := range wire.ReplicaID(w.quorum) {
		m := &wire.Checkpoint{Seq: cert.Seq, Digest: cert.Digest, Replica: id}
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: w.signature(id, m)})
	}
	return cert
}

// body is the answer to a fetch.
func (w *world) body(s wire.Seq, v value) wire.Verified {
	m, err := wire.Verify(&w.configs[0], &wire.CertifiedBody{Seq: w.base + s, Body: w.bodies[s][v]}, w.holds)
	if err != nil {
		panic(fmt.Sprintf("explore: the body of %v: %v", v, err))
	}
	return m
}

// signature signs a message as one of the replicas.
func (w *world) signature(id wire.ReplicaID, m wire.Message) (sig wire.Signature) {
	wire.Sign(&w.configs[id], m, func(b []byte) wire.Signature {
		sig = signer(w.configs[id].Members[id])(b)
		return sig
	})
	return sig
}

// sign returns a message signed by one of the replicas.
func (w *world) sign(id wire.ReplicaID, m wire.Message) wire.Message {
	w.signature(id, m)
	return m
}
