package sim

import (
	"testing"
	"time"

	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// S4: a malicious replica sends frames that are no message. The other replicas refuse them, and no correct replica is
// harmed.
func TestS4_AMalformedReplicaIsRefusedInItsTimeOnly(t *testing.T) {
	const from, until = time.Second, 2 * time.Second
	run := func() *World {
		w := mustNew(t, Options{Seed: 3, Config: small(), Clients: 3, Malicious: []Malicious{{
			Replica: 3, Choice: byzantine.Choice{Name: "malformed", Values: map[string]string{"every": "2"}}, From: from, Until: until,
		}}})
		w.mustRun(t, from)
		if n := w.HostileFrames(3); n != 0 {
			t.Errorf("%d hostile frames before its time", n)
		}
		w.mustRun(t, until)
		return w
	}
	w := run()
	hash, sent, refused := w.Hash(), w.HostileFrames(3), w.Counts().Refused
	if sent < 100 || refused < sent*8/10 {
		t.Errorf("%d hostile frames were sent and %d frames refused", sent, refused)
	}
	w.mustRun(t, until+time.Second)
	if n := w.HostileFrames(3); n != sent {
		t.Errorf("%d hostile frames after its time", n-sent)
	}
	if c := w.Counts(); c.Entered != 0 || w.Acknowledged() < 300 {
		t.Errorf("%d operations were acknowledged; %+v", w.Acknowledged(), c)
	}
	for id := range wire.ReplicaID(3) {
		if in, up := w.Inspect(id); !up || in.Stable == 0 {
			t.Errorf("replica %d: %+v", id, in)
		}
	}
	if again := run(); again.Hash() != hash || again.HostileFrames(3) != sent {
		t.Error("the same seed gave another run")
	}
}
