package node

import (
	"context"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"tagma/crypto"
	"tagma/network"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// bareWire is a peer that sends any frames and counts the replies.
type bareWire struct {
	mu    sync.Mutex
	heard [4]int // number of replies, by replica
	send  func(to int, frame []byte) bool
	peers func() []network.PeerState
}

func (w *bareWire) FromReplica(replica int, frame []byte) {
	if m, err := wire.Decode(frame); err == nil {
		if _, ok := m.(*wire.Reply); ok {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.heard[replica]++
		}
	}
}

func (w *bareWire) FromClient(*network.ClientLink, []byte) {}
func (w *bareWire) ClientGone(*network.ClientLink)         {}

// replies returns the number of replies of each replica.
func (w *bareWire) replies() [4]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.heard
}

// leastReplies returns the number of replies of the replica that has sent the fewest.
func (w *bareWire) leastReplies() int {
	heard := w.replies()
	return slices.Min(heard[:])
}

// asClient connects to the replicas with the key of a registered client.
func (b *testbed) asClient(key *crypto.PrivateKey) *bareWire {
	b.t.Helper()
	w := &bareWire{}
	h, err := network.Dial(network.ClientConfig{
		Seed: key.Seed(), Members: b.fresh.File.Members(), Greeting: b.fresh.File.Greeting(),
	}, w)
	b.connected(h, err)
	w.send, w.peers = h.Send, h.Peers
	return w
}

// asMember connects to the replicas with the key of a replica, which must not run.
func (b *testbed) asMember(i int) *bareWire {
	b.t.Helper()
	b.hostile = true
	w := &bareWire{}
	h, err := network.Listen(network.Config{
		Seed: b.fresh.Replicas[i].Seed(), Listen: b.fresh.File.Replicas[i].Addresses, Members: b.fresh.File.Members(), Self: i,
		Greeting: b.fresh.File.Greeting(),
	}, w)
	b.connected(h, err)
	w.send, w.peers = func(to int, frame []byte) bool { h.Send(to, frame); return true }, h.Peers
	return w
}

func (b *testbed) connected(h interface {
	WaitConnected(context.Context, int) error
	Close() error
}, err error,
) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = h.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := h.WaitConnected(ctx, 3); err != nil {
		b.t.Fatal(err)
	}
}

// request is a put, signed by a client.
func (b *testbed) request(key *crypto.PrivateKey, t uint64) *wire.Request {
	r := &wire.Request{
		ID:  wire.RequestID{Client: key.Public(), Session: 1, T: t},
		Ops: [][]byte{kv.Put([]byte("raw"), fmt.Append(nil, t))},
	}
	b.sign(r, key)
	return r
}

func (b *testbed) sign(r *wire.Request, key *crypto.PrivateKey) {
	wire.SignRequest(wire.Digest(b.fresh.File.ID), r, func(m []byte) wire.Signature { return key.Sign(m) })
}

// rubbish returns frames that every replica must refuse from any sender: malformed ones, and messages that break a rule.
func (b *testbed) rubbish(rng *rand.Rand) (malformed, invalid [][]byte) {
	client := b.fresh.Clients[0]
	good := wire.Encode(b.request(client, 1))
	forged := b.request(client, 2)
	forged.Sig[5] ^= 1
	stranger, err := crypto.Generate(cryptorand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	huge := b.request(client, 3)
	huge.Ops = [][]byte{make([]byte, 300<<10)}
	b.sign(huge, client)
	invalid = [][]byte{
		wire.Encode(forged), wire.Encode(b.request(stranger, 1)), wire.Encode(huge),
		wire.Encode(&wire.Prepare{Seq: 1, Replica: 1}), wire.Encode(&wire.Commit{Seq: 1, Replica: 9}), // unsigned; no member
		wire.Encode(&wire.PrePrepare{Seq: 1 << 60}), wire.Encode(&wire.ViewChange{View: 1 << 63, Replica: 2}),
		wire.Encode(&wire.NewView{View: 5}),
	}
	// Of the last two, one is too short and one too long.
	malformed = [][]byte{nil, {0}, {255}, good[:len(good)-1], append(good, 0)}
	for range 200 {
		f := make([]byte, rng.IntN(400))
		for i := range f {
			f[i] = byte(rng.Uint32())
		}
		if len(f) > 1 && rng.IntN(2) == 0 {
			f[0], f[1] = wire.FormatVersion, byte(1+rng.IntN(24)) // make the first two bytes those of a message
		}
		if _, err := wire.Decode(f); err != nil {
			malformed = append(malformed, f)
		}
	}
	return malformed, invalid
}

// S4: frames that must be refused are counted, whether a client or a member sends them. No replica panics, and all
// continue to serve. If a frame is not a message at all, its sender's link is closed each time.
func TestS4_RubbishIsCountedAndChangesNothing(t *testing.T) {
	t.Parallel()
	for who, connect := range map[string]func(*testbed) *bareWire{
		"a client": func(b *testbed) *bareWire { return b.asClient(b.fresh.Clients[1]) },
		"a member": func(b *testbed) *bareWire { return b.asMember(3) },
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, 4, small)
			for i := range 3 {
				b.start(i)
			}
			w := connect(b)
			malformed, invalid := b.rubbish(rand.New(rand.NewPCG(4, 4)))
			for _, f := range invalid {
				for to := range 3 {
					w.send(to, f)
				}
			}
			atLeast := func(n int) func([]Report) bool {
				return func(rs []Report) bool {
					for _, r := range rs {
						if r.Refused < uint64(n) {
							return false
						}
					}
					return true
				}
			}
			b.until("what is against the rules is counted", atLeast(len(invalid)))
			next := 0
			counted := atLeast(len(invalid) + 20)
			b.until("what is no message is counted, however often its sender comes back", func(rs []Report) bool {
				for to := range 3 {
					w.send(to, malformed[next%len(malformed)])
				}
				next++
				return counted(rs)
			})
			b.until("its links are ended", func([]Report) bool {
				for to := range 3 {
					w.send(to, malformed[0])
				}
				for to, p := range w.peers() {
					if to < 3 && p.LastError != "" {
						return true
					}
				}
				return false
			})
			l := b.load()
			l.put(10, 8)
			l.check(8)
			b.level(3)
		})
	}
}

// If a peer repeats a client's request, the peer does not get the replies, and the client still gets them.
func TestC4_ARepeatedRequestDoesNotTakeItsClientsReplies(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	client, thief := b.asClient(b.fresh.Clients[0]), b.asClient(b.fresh.Clients[1])
	frame := wire.Encode(b.request(b.fresh.Clients[0], 1))
	everywhere := func(w *bareWire) {
		for to, sent := 0, false; to < 4; to, sent = to+1, false {
			b.until("it is connected there", func([]Report) bool {
				sent = sent || w.send(to, frame)
				return sent
			})
		}
	}
	b.until("the client is connected everywhere", func(rs []Report) bool {
		for _, r := range rs {
			if r.Clients != 2 {
				return false
			}
		}
		return true
	})
	everywhere(client)
	// A replica may answer the client twice without any repetition, if it executes the request just when the request
	// arrives. So the peer repeats the request until each replica has answered the client four times, which only the
	// repetitions can cause.
	b.until("all replicas answer", func([]Report) bool { return client.leastReplies() >= 1 })
	b.until("they answer the client again", func([]Report) bool {
		everywhere(thief)
		return client.leastReplies() >= 4
	})
	if heard := thief.replies(); heard != [4]int{} {
		t.Errorf("%v replies of each replica went to somebody else", heard)
	}
}
