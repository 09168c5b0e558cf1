package proof_test

import (
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"tagma/checkpoint/merkle"
	"tagma/crypto"
	"tagma/internal/proof"
	"tagma/internal/replica"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

var holds = replica.Holds(crypto.NewVerifier(0, nil))

func member(i int) *crypto.PrivateKey { return crypto.FromSeed([32]byte{byte(i), 1}) }

func config(cluster byte) *wire.Config {
	cfg := wire.Config{Cluster: wire.Digest{cluster}, Epoch: 3, CheckpointInterval: 10, LogWindow: 20}.WithDefaults()
	for i := range 4 {
		cfg.Members = append(cfg.Members, member(i).Public())
	}
	return &cfg
}

// answered is a request, its frame and the reply to it.
func answered(cfg *wire.Config) ([]byte, *wire.Reply) {
	key := crypto.FromSeed([32]byte{9})
	r := &wire.Request{ID: wire.RequestID{Client: key.Public(), Session: 7, T: 3}, AckedBelow: 2, Ops: [][]byte{[]byte("put k v"), {}}}
	wire.SignRequest(cfg.Cluster, r, func(b []byte) wire.Signature { return key.Sign(b) })
	return wire.Encode(r), &wire.Reply{
		ID: r.ID, Request: r.Digest(), Outcome: wire.OutcomeExecuted, Seq: 12, Results: [][]byte{[]byte("rev 5"), {}}, View: 4,
	}
}

// receipt is signed by the given replicas.
func receipt(cfg *wire.Config, by ...int) *proof.Receipt {
	frame, reply := answered(cfg)
	r := &proof.Receipt{Certificate: certificate(cfg, proof.StatementOf(reply), by...), Request: frame, Results: reply.Results}
	return r
}

func certificate(cfg *wire.Config, statement []byte, by ...int) *attest.Certificate {
	c := &attest.Certificate{Cluster: cfg.Cluster, Epoch: cfg.Epoch, Statement: statement}
	for _, i := range by {
		c.Signatures = append(c.Signatures, attest.Signature{Replica: i, Sig: member(i).Sign(attest.Bytes(cfg.Cluster, cfg.Epoch, i, statement))})
	}
	return c
}

// everyByte fails if a document holds although a byte of it was changed, is missing or was added.
func everyByte(t *testing.T, whole []byte, verify func([]byte) error) {
	t.Helper()
	if err := verify(whole); err != nil {
		t.Fatalf("it does not hold itself: %v", err)
	}
	for i := range whole {
		for _, x := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255} {
			changed := slices.Clone(whole)
			changed[i] ^= x
			if verify(changed) == nil {
				t.Fatalf("it holds with byte %d of %d changed by %#x", i, len(whole), x)
			}
		}
		if verify(whole[:i]) == nil {
			t.Fatalf("its first %d bytes hold", i)
		}
	}
	if verify(append(slices.Clone(whole), 0)) == nil {
		t.Error("it holds with a byte behind it")
	}
}

// C4: no byte of a receipt can be changed.
func TestC4_EverySingleByteChangeOfAReceiptIsRefused(t *testing.T) {
	cfg := config(1)
	verify := func(b []byte) error {
		r, err := proof.DecodeReceipt(b)
		if err == nil {
			_, _, err = r.Verify(cfg, 0, holds)
		}
		return err
	}
	everyByte(t, receipt(cfg, 0, 2).Encode(), verify)
	short := receipt(cfg, 1, 3)
	short.Request = nil
	everyByte(t, short.Encode(), verify)
}

// C4: f signatures prove nothing, and neither does a receipt of another request, client, outcome or cluster.
func TestC4_AReceiptIsBoundToItsRequest(t *testing.T) {
	cfg := config(1)
	if reply, request, err := receipt(cfg, 0, 2).Verify(cfg, 0, holds); err != nil || reply.Seq != 12 || string(request.Ops[0]) != "put k v" {
		t.Fatalf("%+v, %+v, %v", reply, request, err)
	}
	if _, _, err := receipt(cfg, 0, 1, 2).Verify(cfg, 3, holds); err != nil {
		t.Error(err)
	}
	refuses := func(what string, r *proof.Receipt, need int) {
		t.Helper()
		if _, _, err := r.Verify(cfg, need, holds); err == nil {
			t.Errorf("%s: it holds", what)
		}
	}
	refuses("f signatures", receipt(cfg, 0), 0)
	refuses("f+1 signatures where a quorum is needed", receipt(cfg, 0, 1), 3)
	refuses("one signer twice", receipt(cfg, 1, 1), 0)
	refuses("another cluster's", receipt(config(2), 0, 1), 0)
	other := receipt(cfg, 0, 1)
	key := crypto.FromSeed([32]byte{8})
	r := &wire.Request{ID: wire.RequestID{Client: key.Public(), Session: 7, T: 3}, Ops: [][]byte{[]byte("put k v"), {}}}
	wire.SignRequest(cfg.Cluster, r, func(b []byte) wire.Signature { return key.Sign(b) })
	other.Request = wire.Encode(r)
	refuses("another client's request", other, 0)
	other = receipt(cfg, 0, 1)
	other.Results = other.Results[:1]
	refuses("fewer results", other, 0)
	other = receipt(cfg, 0, 1)
	other.Request = wire.Encode(&wire.Inquire{})
	refuses("another message as request", other, 0)
	frame, reply := answered(cfg)
	refuses("a machine's statement", &proof.Receipt{
		Certificate: certificate(cfg, attest.Machine("kv", proof.StatementOf(reply)), 0, 1), Request: frame, Results: reply.Results,
	}, 0)
	forged, err := wire.Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := *forged.(*wire.Request)
	unsigned.Sig[3] ^= 1
	other = receipt(cfg, 0, 1)
	other.Request = wire.Encode(&unsigned)
	refuses("a request that its client did not sign", other, 0)
}

// read proves what a key holds in a state with some keys.
func read(cfg *wire.Config, key string, found bool, by ...wire.ReplicaID) *proof.Read {
	tree := merkle.New()
	for i := range 30 {
		tree.Set(statemachine.StoredKey([]byte{byte(i)}), []byte{byte(i)})
	}
	r := &proof.Read{Key: []byte(key), Found: found}
	if found {
		r.Value = []byte("value")
		tree.Set(statemachine.StoredKey(r.Key), r.Value)
	}
	snapshot := tree.Snapshot()
	defer snapshot.Release()
	r.Path, _ = snapshot.Path(sha256.Sum256(statemachine.StoredKey(r.Key)))
	cert := wire.StableCert{Seq: 20, Digest: snapshot.Root()}
	for _, id := range by {
		vote := &wire.Checkpoint{Seq: 20, Digest: cert.Digest, Replica: id}
		wire.Sign(cfg, vote, func(b []byte) wire.Signature { return member(int(id)).Sign(b) })
		cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: vote.Sig})
	}
	r.Cert = cert.Proof()
	return r
}

func verifyRead(cfg *wire.Config, b []byte) error {
	r, err := proof.DecodeRead(b)
	if err == nil {
		_, err = r.Verify(cfg, holds)
	}
	return err
}

// K1: no byte of a proven read can be changed, whatever it proves.
func TestK1_EverySingleByteChangeOfAProvenReadIsRefused(t *testing.T) {
	cfg := config(1)
	ends := map[merkle.End]bool{}
	for _, c := range []struct {
		key   string
		found bool
	}{{"key", true}, {"", true}, {"absent", false}, {"absent 2", false}, {"absent 3", false}, {"absent 4", false}, {"absent 5", false}} {
		r := read(cfg, c.key, c.found, 0, 1, 3)
		if !ends[r.Path.End] || c.found {
			everyByte(t, r.Encode(), func(b []byte) error { return verifyRead(cfg, b) })
		}
		ends[r.Path.End] = true
	}
	if len(ends) != 3 {
		t.Errorf("the ends of paths are %v; all three must be tested", ends)
	}
}

// K1: a read is proven by the path to a root that a quorum signed, and nothing else.
func TestK1_AReadNeedsItsPathAndAQuorum(t *testing.T) {
	cfg := config(1)
	refuses := func(what string, r *proof.Read) {
		t.Helper()
		if err := verifyRead(cfg, r.Encode()); err == nil {
			t.Errorf("%s: it holds", what)
		}
	}
	refuses("f+1 signatures", read(cfg, "key", true, 0, 1))
	refuses("another cluster's", read(config(2), "key", true, 0, 1, 2))
	r := read(cfg, "key", true, 0, 1, 2)
	r.Key = []byte("another")
	refuses("another key", r)
	r = read(cfg, "key", true, 0, 1, 2)
	r.Found, r.Value = false, nil
	refuses("the key is absent", r)
	r.Path = read(cfg, "key", false, 0, 1, 2).Path
	refuses("the key is absent, by the path of another state", r)
	r = read(cfg, "absent", false, 0, 1, 2)
	r.Found, r.Value = true, []byte("value")
	refuses("an absent key is there", r)
	r = read(cfg, "key", true, 0, 1, 2)
	r.Path.Steps = nil
	refuses("no path", r)
	r = read(cfg, "key", true, 0, 1, 2)
	r.Cert = wire.StableCert{}.Proof()
	refuses("the beginning of the cluster", r)
	r.Cert = wire.Encode(&wire.Inquire{})
	refuses("no certificate", r)
}

// S4: any bytes are read without a panic, and what is read has exactly the bytes that it was read from.
func FuzzDocuments(f *testing.F) {
	cfg := config(1)
	f.Add(receipt(cfg, 0, 1).Encode())
	f.Add(read(cfg, "key", true, 0, 1, 2).Encode())
	f.Add(read(cfg, "absent", false, 0, 1, 2).Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := proof.DecodeReceipt(b); err == nil {
			if string(r.Encode()) != string(b) {
				t.Errorf("%x is read as %+v", b, r)
			}
			_, _, _ = r.Verify(cfg, 0, holds)
		} else if !errors.Is(err, proof.ErrMalformed) && !errors.Is(err, attest.ErrMalformed) {
			t.Errorf("%v", err)
		}
		if r, err := proof.DecodeRead(b); err == nil {
			if string(r.Encode()) != string(b) {
				t.Errorf("%x is read as %+v", b, r)
			}
			_, _ = r.Verify(cfg, holds)
		} else if !errors.Is(err, proof.ErrMalformed) {
			t.Errorf("%v", err)
		}
	})
}
