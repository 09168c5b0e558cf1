package sim

import (
	"errors"
	"testing"
	"time"

	"tagma/internal/proof"
	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
	"tagma/statemachine/kv"
	"tagma/testnet/byzantine"
	"tagma/testnet/sim/disk"
)

// voucher is a machine that vouches for how often something was written, once it was.
type voucher struct{ statemachine.Machine }

func (v voucher) Unwrap() statemachine.Machine { return v.Machine }

func (voucher) Attest(r statemachine.Reader, op []byte) ([]byte, bool) {
	value, found := r.Get(op)
	return attest.Machine("kv", value), found
}

// vouching makes a world of replicas whose machine vouches.
func vouching(t *testing.T, o Options) *World {
	w := mustNew(t, o)
	for _, n := range w.nodes {
		n.state.Machine = voucher{n.state.Machine}
	}
	return w
}

// certified is the outcome of a question.
type certified struct {
	c    *attest.Certificate
	err  error
	done bool
}

// certify has a client ask for a certificate.
func (c *client) certify(t *testing.T, m wire.Attest) *certified {
	out := new(certified)
	c.do(func(s *session.Session) {
		if _, err := s.Certify(c.w.now, m, 0, func(made *attest.Certificate, _ [][]byte, err error) {
			out.c, out.err, out.done = made, err, true
		}); err != nil {
			t.Fatal(err)
		}
	})
	return out
}

// verify checks a certificate with the world's signatures.
func (w *World) verifyCertificate(c *attest.Certificate) error {
	return proof.VerifyCertificate(c, proof.Members(&w.cfg), 0, w.keys.holds)
}

// TX5: the client's session collects a certificate from the simulated replicas, through a liar and a crash.
func TestTX5_ACertificateThroughALiarAndACrash(t *testing.T) {
	o := Options{Seed: 5, Config: small(), Clients: 2, Workload: Workload{Operations: 60}, Malicious: []Malicious{{
		Replica: 2, Choice: byzantine.Choice{Name: "lying-reply"}, From: time.Hour, Until: 2 * time.Hour,
	}}}
	w := vouching(t, o)
	key := []byte{'r'} // kv's revision
	early := w.clients[0].certify
	w.mustRun(t, 3*time.Second)
	got := early(t, wire.Attest{What: wire.VouchedMachine, Op: key})
	nothing := w.clients[1].certify(t, wire.Attest{What: wire.VouchedMachine, Op: []byte("no such key")})
	w.Crash(1, disk.Kill)
	w.At(5*time.Second, func() { w.mustRestart(t, 1) })
	w.mustRun(t, 8*time.Second)
	if !got.done || got.err != nil {
		t.Fatalf("no certificate: %+v", got)
	}
	if err := w.verifyCertificate(got.c); err != nil {
		t.Error(err)
	}
	if said, ok := attest.SaidBy("kv", got.c.Statement); !ok || len(said) != 8 {
		t.Errorf("the statement is %q", got.c.Statement)
	}
	for _, s := range got.c.Signatures {
		if s.Replica == 2 {
			t.Error("the certificate has the signature of the liar")
		}
	}
	if !nothing.done || !errors.Is(nothing.err, session.ErrNothingAttested) {
		t.Errorf("of a key that does not exist: %+v", nothing)
	}
}

// TX5: a replica whose state is found to be wrong attests nothing until it is repaired.
func TestTX5_ADivergedReplicaAttestsNothing(t *testing.T) {
	w := vouching(t, Options{Seed: 6, Config: small(), Clients: 2})
	c := w.clients[0]
	asked, while, after := 0, 0, 0
	w.At(time.Second, func() { w.FlipState(3, "") })
	for at := time.Second; at < 6*time.Second; at += 5 * time.Millisecond {
		w.mustRun(t, at)
		in, up := w.Inspect(3)
		if !up {
			t.Fatal("it is down")
		}
		n := w.nodes[3]
		before := c.links[n.place].back
		read := decode(wire.Encode(&wire.Attest{Nonce: uint64(at), What: wire.VouchedMachine, Op: []byte{'r'}}))
		n.fromClient(c, n.starts, &packet{read: read})
		answered := c.links[n.place].back != before
		switch {
		case in.Diverged || in.LeftBehind:
			asked++
			if answered {
				while++
			}
		case answered && asked > 0:
			after++
		}
	}
	if asked == 0 || while > 0 || after == 0 {
		t.Errorf("it was asked %d times while its state was wrong and answered %d times; afterwards it answered %d times", asked, while, after)
	}
}

// C4, K1: receipts and proven reads from the simulated replicas, which hold for the world's keys.
func TestC4_ReceiptsAndProofsOfSimulatedReplicas(t *testing.T) {
	w := mustNew(t, Options{Seed: 7, Config: small(), Clients: 2})
	w.mustRun(t, time.Second)
	c := w.clients[1]
	op := c.submit(nil, [][]byte{kv.Put([]byte("shown"), []byte("to others"))}, session.Kind{Receipt: session.WeakReceipt}, nil)
	w.mustRun(t, 2*time.Second)
	if len(op.Receipt) == 0 {
		t.Fatalf("no receipt: %+v", op)
	}
	r, err := proof.DecodeReceipt(op.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if reply, request, err := r.Verify(&w.cfg, 0, w.keys.holds); err != nil || reply.Seq != op.Seq || request == nil {
		t.Errorf("%+v, %+v, %v", reply, request, err)
	}
	for i, key := range []string{"kshown", "kabsent"} { // kv's keys of pairs
		var document []byte
		c.do(func(s *session.Session) {
			if _, err := s.AskProof(w.now, []byte(key), op.Seq, func(d []byte, _ wire.Seq, err error) {
				if document = d; err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatal(err)
			}
		})
		w.mustRun(t, w.now+2*time.Second)
		read, err := proof.DecodeRead(document)
		if err != nil {
			t.Fatal(err)
		}
		if seq, err := read.Verify(&w.cfg, w.keys.holds); err != nil || seq == 0 || read.Found != (i == 0) {
			t.Errorf("%s at %d: %+v, %v", key, seq, read, err)
		}
	}
}
