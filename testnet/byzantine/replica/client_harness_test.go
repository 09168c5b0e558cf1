package replica

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
)

// encounter is a malicious client with four honest replicas, and what they did with its messages.
type encounter struct {
	*trial
	client    client.Client
	asked     map[wire.ReplicaID][]*wire.Request // the requests that could be decoded
	malformed int
	refused   int // well formed, but with signatures that do not verify
	heard     map[wire.RequestID][4]*wire.Reply
}

// evil is the key number of the malicious client; honest ones have lower ones.
const evil = 7

func evilConfig() client.Config {
	return client.Config{
		Cluster: wire.Digest{1}, Replicas: 4, Key: keyOf("client", evil), Session: 100, ViewTimeout: time.Second,
		Operation: func(n uint64) []byte { return []byte{byte(n >> 8), byte(n)} },
	}
}

func meet(t *testing.T, choice string) *encounter {
	t.Helper()
	c, err := parseClient(choice)
	if err != nil {
		t.Fatal(err)
	}
	client, err := client.New(c, evilConfig(), signWith(keyOf("client", evil)))
	if err != nil {
		t.Fatal(err)
	}
	return &encounter{
		trial: begin(t, -1, ""), client: client,
		asked: map[wire.ReplicaID][]*wire.Request{}, heard: map[wire.RequestID][4]*wire.Reply{},
	}
}

// last lets the client misbehave for a while.
func (e *encounter) last(d time.Duration) {
	for end := e.now + d; e.now < end; {
		e.pass(10 * time.Millisecond)
		e.deliver(e.client.Tick(e.now))
		e.answer()
	}
}

func (e *encounter) deliver(parcels []client.Parcel) {
	for _, p := range parcels {
		m, err := wire.Decode(p.Frame)
		if err != nil {
			e.malformed++
			continue
		}
		node := e.nodes[p.To]
		v, err := wire.Verify(node.cfg, m, holds)
		r, isRequest := m.(*wire.Request)
		if isRequest {
			e.asked[p.To] = append(e.asked[p.To], r)
		}
		if err != nil {
			e.refused++
			continue
		}
		if isRequest && !node.done[r.ID] { // the driver answers a request that was executed before
			node.step(port.Received{From: port.Source{Client: true}, Msg: v})
		}
	}
}

// answer gives the client the new replies.
func (e *encounter) answer() {
	for _, rs := range e.asked {
		for _, r := range rs {
			told := e.heard[r.ID]
			for i, node := range e.nodes {
				if reply := node.replies[r.ID]; reply != nil && reply != told[i] {
					told[i] = reply
					e.client.Replied(wire.ReplicaID(i), reply)
				}
			}
			e.heard[r.ID] = told
		}
	}
}

// mustHaveLied fails unless the client attacked at least so often, and returns the attack's counts (I18).
func (e *encounter) mustHaveLied(atLeast uint64) client.Tally {
	e.t.Helper()
	told := e.client.Told()
	if told.Lies < atLeast || told.Lies > told.Parcels {
		e.t.Errorf("it told %d lies in %d parcels, fewer than %d", told.Lies, told.Parcels, atLeast)
	}
	return told
}

// parseClient reads and judges a choice of a client.
func parseClient(text string) (tamper.Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		_, err = client.New(c, client.Config{}, nil)
	}
	return c, err
}
