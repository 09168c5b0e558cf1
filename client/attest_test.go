package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tagma/checkpoint/merkle"
	"tagma/crypto"
	"tagma/internal/proof"
	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

// notaries stand for four replicas that sign statements; each answers as its function says, two one-way trips later.
type notaries struct {
	t   *testing.T
	s   *shell
	cfg wire.Config

	mu     sync.Mutex
	answer []func(n *notaries, as int, m wire.Message) []wire.Message // nil: silent
	asked  []int
}

// Open implements session.Host.
func (*notaries) Open([]byte) {}

// Send implements session.Host.
func (n *notaries) Send(to int, frame []byte) bool {
	m, err := wire.Decode(frame)
	if err != nil || wire.Check(&n.cfg, m) != nil {
		n.t.Errorf("the client sent %+v, %v", m, err)
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[to]++
	if n.answer[to] == nil {
		return true
	}
	for _, a := range n.answer[to](n, to, m) {
		answer := wire.Encode(a)
		time.AfterFunc(2*oneWay, func() { n.s.FromReplica(to, answer) })
	}
	return true
}

func (n *notaries) key(as int) *crypto.PrivateKey { return crypto.FromSeed([32]byte{byte(as + 1), 7}) }

func (n *notaries) signed(as int, statement []byte, nonce uint64) *wire.Attestation {
	return &wire.Attestation{
		Nonce: nonce, Outcome: wire.Attested, Statement: statement,
		Sig: n.key(as).Sign(attest.Bytes(n.cfg.Cluster, n.cfg.Epoch, as, statement)),
	}
}

var fact, other = attest.Machine("bank", []byte("prepared")), attest.Machine("bank", []byte("refused"))

func nonceOf(m wire.Message) uint64 { return m.(*wire.Attest).Nonce }

func vouchesFor(statement []byte) func(*notaries, int, wire.Message) []wire.Message {
	return func(n *notaries, as int, m wire.Message) []wire.Message {
		return []wire.Message{n.signed(as, statement, nonceOf(m))}
	}
}

func notYet(_ *notaries, _ int, m wire.Message) []wire.Message {
	return []wire.Message{&wire.Attestation{Nonce: nonceOf(m), Outcome: wire.NothingAttested}}
}

// unsigned states the fact with a signature that does not hold.
func unsigned(n *notaries, as int, m wire.Message) []wire.Message {
	a := n.signed(as, fact, nonceOf(m))
	a.Sig[5] ^= 1
	return []wire.Message{a}
}

// asAnother signs with its own key what another replica would.
func asAnother(n *notaries, as int, m wire.Message) []wire.Message {
	a := n.signed(as, fact, nonceOf(m))
	a.Sig = n.key(as).Sign(attest.Bytes(n.cfg.Cluster, n.cfg.Epoch, (as+1)%4, fact))
	return []wire.Message{a}
}

// thrice answers one question three times.
func thrice(n *notaries, as int, m wire.Message) []wire.Message {
	return append(unsigned(n, as, m), n.signed(as, fact, nonceOf(m)), n.signed(as, other, nonceOf(m)))
}

// aReceipt answers with a statement that only a reply's receipt may be.
func aReceipt(n *notaries, as int, m wire.Message) []wire.Message {
	return []wire.Message{n.signed(as, proof.StatementOf(&wire.Reply{Outcome: wire.OutcomeExecuted}), nonceOf(m))}
}

// withNotaries runs a test against four replicas in virtual time.
func withNotaries(t *testing.T, test func(*testing.T, *Client, *notaries), answers ...func(*notaries, int, wire.Message) []wire.Message) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &notaries{t: t, answer: slices.Clone(answers), asked: make([]int, 4)}
		n.cfg = wire.Config{Cluster: wire.Digest{1}, Epoch: 3, CheckpointInterval: 100, LogWindow: 200}.WithDefaults()
		for i := range 4 {
			n.cfg.Members = append(n.cfg.Members, n.key(i).Public())
		}
		n.s = newShell(session.Config{
			Replicas: 4, Weak: 2, Limits: session.Limits{OpBytes: 100}, Host: n, Protocol: &n.cfg, Holds: holds, Random: rand.New(rand.NewPCG(1, 2)),
		}, ExactlyOnce)
		var running sync.WaitGroup
		running.Go(n.s.run)
		test(t, &Client{shell: n.s}, n)
		n.s.close()
		running.Wait()
	})
}

// TX5: a certificate has the verified signatures of f+1 replicas under one statement, whatever one replica does.
func TestTX5_ACertificateNeedsTwoEqualSignedStatementsOfFour(t *testing.T) {
	says, contradicts := vouchesFor(fact), vouchesFor(other)
	type answer = func(*notaries, int, wire.Message) []wire.Message
	for name, c := range map[string]struct {
		answers []answer
		err     error
	}{
		"all alike":                        {[]answer{says, says, says, says}, nil},
		"two are down":                     {[]answer{nil, says, nil, says}, nil},
		"a liar states something else":     {[]answer{contradicts, nil, says, says}, nil},
		"a liar does not sign":             {[]answer{unsigned, nil, says, says}, nil},
		"a liar signs for another replica": {[]answer{asAnother, says, nil, says}, nil},
		"a liar answers three times":       {[]answer{thrice, says, nil, says}, nil},
		"a liar passes off a receipt":      {[]answer{aReceipt, says, says, nil}, nil},
		"two have nothing yet":             {[]answer{notYet, says, says, notYet}, nil},
		"three have nothing":               {[]answer{notYet, notYet, notYet, says}, ErrNothingAttested},
		"one signs":                        {[]answer{nil, nil, nil, says}, context.DeadlineExceeded},
		"one signs, one pretends":          {[]answer{unsigned, nil, nil, says}, context.DeadlineExceeded},
		"two disagree":                     {[]answer{contradicts, nil, nil, says}, context.DeadlineExceeded},
		"f sign twice":                     {[]answer{thrice, nil, nil, nil}, context.DeadlineExceeded},
		"all pass off receipts":            {[]answer{aReceipt, aReceipt, aReceipt, aReceipt}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			withNotaries(t, func(t *testing.T, c1 *Client, n *notaries) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				made, err := c1.Attest(ctx, []byte("which"))
				if !errors.Is(err, c.err) {
					t.Fatalf("%v, want %v", err, c.err)
				}
				if err != nil {
					return
				}
				if err := made.Verify(proof.Members(&n.cfg), 2); err != nil || !bytes.Equal(made.Statement, fact) {
					t.Errorf("%q, %v", made.Statement, err)
				}
			}, c.answers...)
		})
	}
}

// A replica that lagged behind is asked again, and what it states then counts; a replica that is down is asked when it is
// back; a client that is closed gives an error.
func TestTX5_WhoHadNothingIsAskedAgain(t *testing.T) {
	withNotaries(t, func(t *testing.T, c *Client, n *notaries) {
		time.AfterFunc(3*time.Second, func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.answer[0], n.answer[2] = vouchesFor(fact), vouchesFor(fact)
		})
		began := time.Now()
		if made, err := c.Attest(t.Context(), nil); err != nil || len(made.Signatures) != 2 {
			t.Errorf("%+v, %v", made, err)
		}
		if took := time.Since(began); took < 3*time.Second || took > 6*time.Second {
			t.Errorf("it took %v", took)
		}
	}, notYet, nil, vouchesFor(other), nil)
	withNotaries(t, func(t *testing.T, c *Client, n *notaries) {
		time.AfterFunc(time.Second, n.s.close)
		if _, err := c.Attest(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want %v", err, ErrClosed)
		}
		if _, err := c.Attest(t.Context(), nil); !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want %v", err, ErrClosed)
		}
	}, nil, nil, nil, nil)
	withNotaries(t, func(t *testing.T, c *Client, n *notaries) {
		if _, err := c.Attest(t.Context(), make([]byte, 101)); !errors.Is(err, ErrTooLarge) || n.asked[0] > 0 {
			t.Errorf("%v, want %v", err, ErrTooLarge)
		}
	}, nil, nil, nil, nil)
}

// C4: a receipt shows the call's request and results with f+1 signatures, or a quorum's on demand; and the session
// acknowledges the reply only when it has the receipt.
func TestC4_AResultComesWithItsReceipt(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c := &Client{shell: f.s}
		f.set(func() { // one lies about the statement, one is slow to execute
			f.vouches[1] = func(a *wire.Attestation) { f.sign(1, a, append(bytes.Clone(a.Statement[:len(a.Statement)-1]), 1)) }
		})
		for number, of := range map[uint64]Receipts{1: WeakReceipt} {
			result, err := c.DoMany(t.Context(), [][]byte{[]byte("a"), []byte("b")}, WithReceiptOf(of))
			if err != nil {
				t.Fatal(err)
			}
			r, err := proof.DecodeReceipt(result.Receipt)
			if err != nil {
				t.Fatal(err)
			}
			reply, request, err := r.Verify(&f.cfg, 2, holds)
			if err != nil || reply.ID.T != number || request == nil || len(request.Ops) != 2 || string(r.Results[1]) != "did b" {
				t.Errorf("%+v, %+v, %v", reply, request, err)
			}
		}
		result, err := c.Do(t.Context(), []byte("c"), WithReceiptOf(QuorumReceipt))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := proof.DecodeReceipt(result.Receipt); err != nil || len(r.Certificate.Signatures) != 3 {
			t.Errorf("%+v, %v", r, err)
		}
		if f.acked != 2 {
			t.Errorf("replies below %d are acknowledged, want 2", f.acked)
		}
		if result, err := c.Do(t.Context(), []byte("d")); err != nil || result.Receipt != nil {
			t.Errorf("%+v, %v; nobody asked for a receipt", result, err)
		}
	})
}

// Whoever waits too short, or asks too late, learns that the request was executed.
func TestC4_WithoutReceiptTheResultIsThere(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c := &Client{shell: f.s}
		silence := func(a *wire.Attestation) { a.Outcome = 0 }
		f.set(func() { f.vouches = [4]func(*wire.Attestation){silence, silence, silence, nil} })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		var none *NoReceiptError
		result, err := c.Do(ctx, []byte("a"), WithReceipt())
		if !errors.As(err, &none) || !errors.Is(err, context.DeadlineExceeded) || string(result.Output()) != "did a" || none.Request.Number != 1 {
			t.Errorf("%+v, %v", result, err)
		}
		// The number is free again, and other calls were never held up.
		if result, err := c.Do(t.Context(), []byte("b")); err != nil || string(result.Output()) != "did b" {
			t.Errorf("%+v, %v", result, err)
		}
		if f.acked != 2 {
			t.Errorf("replies below %d are acknowledged, want 2", f.acked)
		}
		f.set(func() { f.vouches = [4]func(*wire.Attestation){silence} })
		if _, err := c.Receipt(t.Context(), RequestID{Session: uint64(testSession), Number: 1}, WeakReceipt); !errors.Is(err, ErrReplyGone) {
			t.Errorf("%v, want %v", err, ErrReplyGone)
		}
		b, err := c.Receipt(t.Context(), RequestID{Session: uint64(testSession), Number: 2}, WeakReceipt)
		if err != nil {
			t.Fatal(err)
		}
		r, err := proof.DecodeReceipt(b)
		if err != nil {
			t.Fatal(err)
		}
		if reply, request, err := r.Verify(&f.cfg, 2, holds); err != nil || request != nil || reply.ID.T != 2 || string(r.Results[0]) != "did b" {
			t.Errorf("%+v, %+v, %v", reply, request, err)
		}
		if _, err := c.Receipt(t.Context(), RequestID{Session: uint64(testSession), Number: 3}, WeakReceipt); !errors.Is(err, ErrNothingAttested) {
			t.Errorf("%v, want %v", err, ErrNothingAttested)
		}
		if _, err := c.Do(t.Context(), []byte("c"), WithReceipt(), Under(BestEffort)); !errors.Is(err, ErrNotSent) {
			t.Errorf("%v, want %v", err, ErrNotSent)
		}
		call, err := c.Submit(t.Context(), []byte("d"), WithReceipt())
		if err != nil {
			t.Fatal(err)
		}
		f.set(func() { f.vouches = [4]func(*wire.Attestation){silence, silence, silence, nil} })
		time.AfterFunc(time.Second, f.s.close)
		if result, err := call.Wait(t.Context()); !errors.Is(err, ErrClosed) || !errors.As(err, &none) || string(result.Output()) != "did d" {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// An honest majority's receipt is there although the session's number expired meanwhile, or the call is at-least-once.
func TestC7_AReceiptUnderTheOtherSemantics(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c := &Client{shell: f.s}
		for i, semantics := range []Semantics{AtMostOnce, AtLeastOnce} {
			result, err := c.Do(t.Context(), []byte("a"), WithReceipt(), Under(semantics))
			if err != nil || len(result.Receipt) == 0 {
				t.Errorf("%v, call %d: %+v, %v", semantics, i, result, err)
			}
		}
	})
}

// provers give proofs of a state with one key, which the fake's members certified.
func proves(found bool, seq wire.Seq) func(*notaries, int, wire.Message) []wire.Message {
	return func(n *notaries, _ int, m wire.Message) []wire.Message {
		q := m.(*wire.Prove)
		tree := merkle.New()
		for i := range 20 {
			tree.Set(statemachine.StoredKey([]byte{byte(i)}), []byte("v"))
		}
		if found {
			tree.Set(statemachine.StoredKey(q.Key), []byte("value"))
		}
		snapshot := tree.Snapshot()
		defer snapshot.Release()
		cert := wire.StableCert{Seq: seq, Digest: snapshot.Root()}
		for id := range wire.ReplicaID(3) {
			vote := &wire.Checkpoint{Seq: seq, Digest: cert.Digest, Replica: id}
			wire.Sign(&n.cfg, vote, func(b []byte) wire.Signature { return n.key(int(id)).Sign(b) })
			cert.Checkpoints = append(cert.Checkpoints, wire.Endorsement{Replica: id, Sig: vote.Sig})
		}
		read := proof.Read{Key: q.Key, Found: found, Cert: cert.Proof()}
		if found {
			read.Value = []byte("value")
		}
		read.Path, _ = snapshot.Path(sha256.Sum256(statemachine.StoredKey(q.Key)))
		return []wire.Message{&wire.Proof{Nonce: q.Nonce, Stable: seq, Document: read.Encode()}}
	}
}

// spoiltProof is a proof with one byte of the value changed.
func spoiltProof(n *notaries, as int, m wire.Message) []wire.Message {
	p := proves(true, 200)(n, as, m)[0].(*wire.Proof)
	i := bytes.Index(p.Document, []byte("value"))
	p.Document[i] ^= 1
	return []wire.Message{p}
}

// tooOld has no checkpoint that is new enough.
func tooOld(_ *notaries, _ int, m wire.Message) []wire.Message {
	return []wire.Message{&wire.Proof{Nonce: m.(*wire.Prove).Nonce, Stable: 100}}
}

// K1: one replica's proof suffices, and a proof that does not hold is as good as none.
func TestK1_OneProofThatHoldsSuffices(t *testing.T) {
	type answer = func(*notaries, int, wire.Message) []wire.Message
	for name, c := range map[string]struct {
		answers []answer
		found   bool
		err     error
	}{
		"all":                    {[]answer{proves(true, 200), proves(true, 200), proves(true, 200), proves(true, 200)}, true, nil},
		"absent":                 {[]answer{proves(false, 200), proves(false, 200), proves(false, 200), proves(false, 200)}, false, nil},
		"only one is not a liar": {[]answer{spoiltProof, spoiltProof, proves(true, 200), nil}, true, nil},
		"only one is not behind": {[]answer{tooOld, tooOld, nil, proves(true, 200)}, true, nil},
		"old proofs":             {[]answer{proves(true, 100), proves(true, 100), nil, proves(true, 200)}, true, nil},
		"nobody is there yet":    {[]answer{tooOld, tooOld, nil, tooOld}, false, ErrNotStable},
		"all lie":                {[]answer{spoiltProof, spoiltProof, spoiltProof, nil}, false, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			withNotaries(t, func(t *testing.T, client *Client, n *notaries) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				var seq wire.Seq
				var document []byte
				var outcome error
				err := await(ctx, n.s, func(decided func()) (*session.Prove, error) {
					return n.s.core.AskProof(n.s.now(), []byte("key"), 150, func(d []byte, s wire.Seq, e error) {
						document, seq, outcome = d, s, e
						decided()
					})
				}, n.s.core.EndProve)
				if err := errors.Join(err, outcome); !errors.Is(err, c.err) || err == nil && seq != 200 {
					t.Fatalf("%v at %d, want %v", err, seq, c.err)
				} else if err != nil {
					return
				}
				read, err := proof.DecodeRead(document)
				if err != nil || read.Found != c.found || c.found != (string(read.Value) == "value") {
					t.Errorf("%+v, %v", read, err)
				}
			}, c.answers...)
		})
	}
}
