package pbft

import (
	"bytes"
	"testing"
	"time"

	"tagma/pbft/amnesia"
	"tagma/pbft/msglog"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// FuzzStep gives one replica any sequence of well-formed messages, ticks and reports, and treats all signatures as
// valid. Even if most replicas lie, the replica must not panic, exceed its memory bounds, or send anything malformed
// (S4).
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 3, 1, 0, 1, 2, 0, 1, 1, 1, 3, 0, 1, 1, 2, 3, 0, 1, 1, 0})
	f.Add([]byte{1, 2, 0, 50, 0, 50, 0, 50, 6, 1, 0, 6, 1, 1, 7, 1, 2, 8, 1, 1, 0, 50})
	f.Add(append([]byte{0, 1, 12, 200}, wire.Encode(newWireCluster(4).prePrepare(0, 1, wire.NullBody))...))
	// Asks, is told, votes.
	f.Add([]byte{4, 3, 14, 0, 0, 0, 1, 1, 14, 1, 0, 0, 1, 1, 0, 1, 3, 0, 1, 1, 14, 2, 0, 0, 1, 3, 4, 2})
	f.Add([]byte{8, 3, 11, 0, 28, 0, 50, 14, 0, 0, 12, 2, 4, 0, 50, 3, 1, 29, 1}) // recovers
	// Is left behind, and then has the state.
	f.Add([]byte{0, 3, 11, 0, 28, 0, 50, 16, 0, 60, 15, 3, 0, 29, 0, 1, 14, 0, 0, 29, 3, 1})
	f.Add([]byte{2, 0, 9, 1, 0, 0, 30, 10, 1, 1, 11, 4, 0, 40, 5, 4, 1, 5, 4, 2, 5, 4, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		in := newFuzzInput(t, b)
		for len(in.rest) > 0 {
			in.next()
		}
	})
}

// fuzzInput turns bytes into events for one replica and checks its effects.
type fuzzInput struct {
	t        *testing.T
	rest     []byte
	c        *wireCluster
	r        *Replica
	now      time.Duration
	handed   wire.Seq
	executed []port.Event // not reported yet
	target   *wire.StableCert
}

func newFuzzInput(t *testing.T, b []byte) *fuzzInput {
	in := &fuzzInput{t: t, rest: b}
	how := in.byte()
	n := []int{4, 5, 6, 7}[how%4]
	in.c = &wireCluster{cfg: clusterConfig(n)}
	in.c.cfg.Self = wire.ReplicaID(int(in.byte()) % n)
	var log []wire.Record
	var start Start
	switch how / 4 % 3 {
	case 1: // it asks what it may have forgotten
		start.Nonce = askNonce
	case 2: // it had forgotten
		log = amnesia.Recovery{Until: 8, View: 2}.Records(&in.c.cfg, wire.Life{1})
	}
	r, err := Boot(&in.c.cfg, log, Applied{}, start)
	if err != nil {
		t.Fatal(err)
	}
	in.r = r
	in.step(port.Tick{Mono: 1, Wall: 1 << 60})
	return in
}

func (in *fuzzInput) byte() byte {
	if len(in.rest) == 0 {
		return 0
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b
}

// step feeds one event and all that follows from it on this replica.
func (in *fuzzInput) step(ev port.Event) {
	var own []port.Event
	for _, e := range in.r.Step(ev) {
		switch e := e.(type) {
		case port.Broadcast:
			if votes([]port.Effect{e}) != nil && in.r.silent() {
				in.t.Fatalf("D8.7: a silent replica broadcasts a %s", wire.TypeOf(e.Msg))
			}
			in.wellFormed(e.Msg)
			own = append(own, port.Received{From: port.Source{Replica: in.c.cfg.Self, Loopback: true}, Msg: wire.Own(e.Msg)})
		case port.Send:
			if e.To == in.c.cfg.Self || int(e.To) >= in.c.cfg.N() {
				in.t.Fatalf("sends to %d", e.To)
			}
			in.checked(e.Msg)
		case port.Execute:
			if in.handed++; e.Seq != in.handed || e.Body == nil {
				in.t.Fatalf("I8: executes %d after %d", e.Seq, in.handed-1)
			}
			in.executed = append(in.executed, port.Executed{Seq: e.Seq})
		case port.Transfer:
			in.target = &e.Target
		case port.Resume:
			in.handed, in.executed = e.Seq, nil
		case port.Snapshot:
			in.executed = append(in.executed, port.Snapshotted{Seq: e.Seq, Digest: stateAfter(e.Seq)})
		case port.Persist:
			in.recoded(e.Record)
		case port.Note:
			in.recoded(e.Record)
		}
	}
	in.bounded()
	for _, e := range own {
		in.step(e)
	}
}

// wellFormed signs a broadcast and makes the checks that its receivers make.
func (in *fuzzInput) wellFormed(m wire.Message) {
	key, self := in.c.cfg.Members[in.c.cfg.Self], in.c.cfg.Self
	wire.Sign(&in.c.cfg, m, wireSign(key))
	if by, ok := wire.Sender(&in.c.cfg, m); ok {
		if by != self || wire.Claims(&in.c.cfg, m)[0].Sig != wireSign(key)(wire.Signable(&in.c.cfg, m)) {
			in.t.Fatalf("a %s that is not signed by its sender", wire.TypeOf(m))
		}
	}
	in.checked(m)
	if wire.Durable(m) {
		in.recoded(&wire.Sent{Msg: m})
	}
}

func (in *fuzzInput) checked(m wire.Message) {
	again, err := wire.Decode(wire.Encode(m))
	if err != nil {
		in.t.Fatalf("its %s does not decode: %v", wire.TypeOf(m), err)
	}
	if _, err := wire.Verify(&in.c.cfg, again, believe); err != nil {
		in.t.Fatalf("its %s is refused: %v", wire.TypeOf(m), err)
	}
}

func (in *fuzzInput) recoded(r wire.Record) {
	b := wire.EncodeRecord(r)
	again, err := wire.DecodeRecord(b)
	if err != nil || !bytes.Equal(wire.EncodeRecord(again), b) {
		in.t.Fatalf("record %T does not survive the journal: %v", r, err)
	}
}

func (in *fuzzInput) bounded() {
	if k := len(in.r.log.Ring); k != int((wire.KeptWindows+2)*in.c.cfg.LogWindow) {
		in.t.Fatalf("the ring has %d slots", k)
	}
	for i := range in.r.log.Ring {
		s := &in.r.log.Ring[i]
		if len(s.Bodies) > msglog.MaxBodies || len(s.Prepares) > in.c.cfg.N() || len(s.Commits) > in.c.cfg.N() {
			in.t.Fatalf("slot %d grows", s.Seq)
		}
	}
	if len(in.r.pool.ByID) > 2*in.c.cfg.MaxPending || len(in.r.checkpoints.Own) > 8 {
		in.t.Fatal("the pool or the list of own checkpoints grows")
	}
}

func believe([]wire.Claim) bool { return true }
