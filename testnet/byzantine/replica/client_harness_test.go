package replica

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
)

// encounter is a run of a malicious client with four honest replicas. It records what the replicas did with the client's
// messages.
type encounter struct {
	*trial
	client    client.Client
	asked     map[wire.ReplicaID][]*wire.Request // the requests that replicas could decode
	malformed int
	refused   int // how many well-formed requests had invalid signatures
	heard     map[wire.RequestID][4]*wire.Reply
}

// evil is the key number of the malicious client. Honest clients have lower ones.
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

// last lets the client run for a time.
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
		if isRequest && !node.done[r.ID] { // a driver answers such a request itself, because it was executed before
			node.step(port.Received{From: port.Source{Client: true}, Msg: v})
		}
	}
}

// answer gives the client the replies that are new.
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

// mustHaveLied returns the client's counts. The test fails unless the client has lied at least this often (I18).
func (e *encounter) mustHaveLied(atLeast uint64) client.Tally {
	e.t.Helper()
	told := e.client.Told()
	if told.Lies < atLeast || told.Lies > told.Parcels {
		e.t.Errorf("it told %d lies in %d parcels, fewer than %d", told.Lies, told.Parcels, atLeast)
	}
	return told
}

// parseClient reads a choice of a client's behaviour. The test fails if the choice is invalid.
func parseClient(text string) (tamper.Choice, error) {
	c, err := tamper.Split(text)
	if err == nil {
		_, err = client.New(c, client.Config{}, nil)
	}
	return c, err
}
