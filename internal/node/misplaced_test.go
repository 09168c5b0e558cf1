package node

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

// S4: a replica sends another one a message that only clients and replicas exchange. The receiver ends its links,
// because such a message costs the sender nothing.
func TestS4_AReplicaThatSpeaksLikeAClientLosesItsLinks(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 3 {
		b.start(i)
	}
	w := b.asMember(3)
	misplaced := [][]byte{
		wire.Encode(&wire.Inquire{}), wire.Encode(&wire.Attach{Session: 1}), wire.Encode(&wire.Query{Nonce: 1}),
		wire.Encode(&wire.Reply{ID: wire.RequestID{T: 1}, Outcome: wire.OutcomeExecuted}),
		wire.Encode(&wire.Report{Document: []byte("{}")}), wire.Encode(&wire.QueryReply{Nonce: 1}),
		wire.Encode(&wire.Attest{Nonce: 1}), wire.Encode(&wire.Attestation{Nonce: 1}), wire.Encode(&wire.Prove{Nonce: 1}), wire.Encode(&wire.Proof{Nonce: 1}),
	}
	for _, frame := range misplaced {
		before, since := b.nodes[0].counts.refused.Load(), w.peers()[0].Since
		b.until("it is refused and the link is ended", func([]Report) bool {
			if b.nodes[0].counts.refused.Load() == before {
				w.send(0, frame)
				return false
			}
			return w.peers()[0].Since.After(since)
		})
		b.until("it may come back", func([]Report) bool { return w.peers()[0].Connected })
	}
	l := b.load()
	l.put(5, 8)
	l.check(8)
}

// C6: if a peer sends inquiries all the time, it gets an answer from time to time, and delays only itself.
func TestC6_InquiriesArePaced(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	w := b.asClient(b.fresh.Clients[1])
	b.until("it is connected", func([]Report) bool { return w.peers()[0].Connected })
	frame := wire.Encode(&wire.Inquire{})
	began := time.Now()
	const asked = 100
	for range asked {
		w.send(0, frame)
	}
	b.until("all are answered", func([]Report) bool { return w.peers()[0].Received >= asked })
	if took := time.Since(began); took < (asked-1)*inquiryPause {
		t.Errorf("%d reports in %v", asked, took)
	}
}

// S4: a replica sends messages that no correct replica sends. The others read it so slowly that it costs them little,
// and they continue to order requests.
func TestS4_AReplicaThatLiesIsReadLess(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	for i := range 3 {
		b.start(i)
	}
	w := b.asMember(3)
	b.until("it is connected", func([]Report) bool { return w.peers()[0].Connected })
	forged := wire.Encode(&wire.Suspect{View: 1, Replica: 3})
	const lies = 20
	began := time.Now()
	for sent := range uint64(lies) {
		w.send(0, forged)
		b.until("it is refused", func([]Report) bool { return b.nodes[0].counts.refused.Load() > sent })
	}
	if took := time.Since(began); took < (lies-1)*refusedPause {
		t.Errorf("%d lies were judged in %v", lies, took)
	}
	l := b.load()
	l.put(5, 8)
	l.check(8)
}
