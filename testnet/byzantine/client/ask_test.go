package client

import (
	"crypto/ed25519"
	"testing"

	"tagma/crypto"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine/tamper"
)

func key(n byte) *crypto.PrivateKey { return crypto.FromSeed([32]byte{n}) }

func signing(n byte) tamper.Sign {
	return func(b []byte) wire.Signature { return key(n).Sign(b) }
}

func asker() (*Asker, wire.Digest) {
	cluster := wire.Digest{7}
	return NewAsker(Config{Cluster: cluster, Replicas: 4, Key: key(1).Public()}, signing(1)), cluster
}

// A request is sent unchanged to the chosen replicas and to no others. Before that, all replicas are told where to send
// their replies.
func TestAsk_SendsExactlyWhatIsAskedFor(t *testing.T) {
	a, _ := asker()
	parcels := a.Ask(&Ask{Session: 9, Number: 3, AckedBelow: 2, Ops: [][]byte{{1}, {2}}, To: []wire.ReplicaID{1, 3}, Signature: Good})
	if len(parcels) != 6 {
		t.Fatalf("%d parcels", len(parcels))
	}
	for i, p := range parcels {
		m, err := wire.Decode(p.Frame)
		if err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *wire.Attach:
			if i != int(p.To) || m.Session != 9 {
				t.Errorf("%+v to %d comes as number %d", m, p.To, i)
			}
		case *wire.Request:
			if want := (wire.RequestID{Client: key(1).Public(), Session: 9, T: 3}); m.ID != want || m.AckedBelow != 2 || len(m.Ops) != 2 || p.To != [2]wire.ReplicaID{1, 3}[i-4] {
				t.Errorf("%+v to %d", m, p.To)
			}
		default:
			t.Errorf("%T", m)
		}
	}
}

// Only the signature Good is valid. Every other kind is invalid in the way that its name says.
func TestAsk_OnlyTheGoodSignatureHolds(t *testing.T) {
	a, cluster := asker()
	signed := map[Signature]*wire.Request{}
	for _, s := range append(Signatures(), "of c2") {
		q := &Ask{Session: 9, Number: 3, Ops: [][]byte{{1}}, To: []wire.ReplicaID{0}, Signature: s}
		if s == "of c2" {
			q.Signature, q.By = Good, signing(2)
		}
		m, err := wire.Decode(a.Ask(q)[4].Frame)
		if err != nil {
			t.Fatal(err)
		}
		signed[s] = m.(*wire.Request)
		if holds := holdsFor(cluster, signed[s], 1); holds != (s == Good) {
			t.Errorf("%q holds: %t", s, holds)
		}
		if signed[s].Digest() != signed[Good].Digest() {
			t.Errorf("%q changes the request", s)
		}
	}
	if !holdsFor(cluster, signed["of c2"], 2) {
		t.Error("that of the other client is not its own")
	}
	other := cluster
	if other[0] ^= 1; !holdsFor(other, signed[OfCluster], 1) {
		t.Error("that of the other cluster does not hold there")
	}
	if signed[None].Sig != (wire.Signature{}) {
		t.Error("there is a signature")
	}
	moved := *signed[Good]
	moved.Ops = [][]byte{{1}, []byte("another")}
	wire.SignRequest(cluster, &moved, signing(1))
	if signed[OfRequest].Sig != moved.Sig {
		t.Error("that of another request is none that the client made for one")
	}
}

// holdsFor reports whether a request carries the signature of a key.
func holdsFor(cluster wire.Digest, m *wire.Request, n byte) bool {
	var said []byte
	again := *m
	wire.SignRequest(cluster, &again, func(b []byte) wire.Signature { said = b; return m.Sig })
	public := key(n).Public()
	return ed25519.Verify(public[:], said, m.Sig[:])
}

// For each replica, the last answer to the last sending of a request counts. When a request is sent again, the count
// begins again.
func TestAsker_CountsTheLastWordOfEachReplica(t *testing.T) {
	a, _ := asker()
	first, again := &Ask{Session: 9, Number: 3, Ops: [][]byte{{1}}, Signature: Good}, &Ask{Session: 9, Number: 3, Ops: [][]byte{{1}}, Signature: Good}
	m := a.sealed(first)
	reply := func(from wire.ReplicaID, o wire.Outcome) {
		a.Replied(from, &wire.Reply{ID: m.ID, Request: m.Digest(), Outcome: o})
	}
	reply(0, wire.OutcomeExecuted) // to nothing that was asked
	a.Ask(first)
	reply(1, wire.OutcomeBusy)
	reply(1, wire.OutcomeExecuted)
	reply(2, wire.OutcomeExecuted)
	a.Replied(3, &wire.Reply{ID: m.ID, Request: wire.Digest{1}, Outcome: wire.OutcomeExecuted})
	a.Ask(again)
	reply(2, wire.OutcomeExpired)
	if got := a.Answers(first); len(got) != 1 || got[wire.OutcomeExecuted] != 2 {
		t.Errorf("first %v", got)
	}
	if got := a.Answers(again); len(got) != 1 || got[wire.OutcomeExpired] != 1 {
		t.Errorf("then %v", got)
	}
}
