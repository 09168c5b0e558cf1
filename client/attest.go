package client

import (
	"context"
	"errors"
	"fmt"

	"tagma/crypto"
	"tagma/internal/proof"
	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

var _ statemachine.Prover = (*Client)(nil)

// verifier verifies the signatures in certificates and proofs.
var verifier = crypto.NewVerifier(0, nil)

func holds(listed []wire.Claim) bool {
	claims := make([]crypto.Claim, len(listed))
	for i, c := range listed {
		claims[i] = crypto.Claim{Key: c.Signer, Message: c.Signed, Sig: c.Sig}
	}
	return verifier.Verify(claims)
}

// await waits for the outcome of a question that begin asks. End gives the question up; the lock is held for both.
func await[Q any](ctx context.Context, s *shell, begin func(decided func()) (Q, error), end func(Q, error) error) error {
	decided := make(chan struct{})
	s.mu.Lock()
	q, refused := begin(func() { close(decided) })
	s.release()
	if refused != nil {
		return refused
	}
	select {
	case <-decided:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.release()
	select {
	case <-decided:
		return nil
	default:
		return end(q, ctx.Err())
	}
}

// certify asks for a certificate, and for the results of the request that it is about.
func (s *shell) certify(ctx context.Context, m wire.Attest, need int) (c *attest.Certificate, results [][]byte, err error) {
	var outcome error
	err = await(ctx, s, func(decided func()) (*session.Attest, error) {
		return s.core.Certify(s.now(), m, need, func(made *attest.Certificate, r [][]byte, e error) {
			c, results, outcome = made, r, e
			decided()
		})
	}, s.core.EndAttest)
	return c, results, errors.Join(err, outcome)
}

// Attest has the replicas vouch for a fact of their executed state, which the machine finds by op (statemachine.Attester).
// It returns a certificate once f+1 replicas, a quorum where replicas only crash, signed the same statement: with
// Cluster.Members others verify it without asking anybody. The error is ErrNothingAttested if n−f replicas have nothing
// of the kind, so far; it wraps the context's error if too few replicas agreed in time.
func (c *Client) Attest(ctx context.Context, op []byte) (*attest.Certificate, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	made, _, err := c.shell.certify(ctx, wire.Attest{What: wire.VouchedMachine, Op: op}, 0)
	if err != nil {
		return nil, fmt.Errorf("have a fact attested: %w", err)
	}
	return made, nil
}

// Receipt returns a receipt of an earlier request of the client's key, of any of its programs: of its results, and of the
// digest of the request alone, whose operations the replicas no longer hold. The error is ErrReplyGone if the reply left
// the replicas' cache: a session's later requests acknowledge it, and many newer sessions push it out.
func (c *Client) Receipt(ctx context.Context, id RequestID, of Receipts) ([]byte, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	need := 0
	if of == QuorumReceipt {
		members := c.cluster.members()
		need = members.Quorum()
	}
	m := wire.Attest{What: wire.VouchedReply, Session: wire.Session(id.Session), T: id.Number, Results: true}
	made, results, err := c.shell.certify(ctx, m, need)
	if err != nil {
		return nil, fmt.Errorf("receipt of request %s: %w", id.Name(), err)
	}
	receipt := proof.Receipt{Certificate: made, Results: results}
	return receipt.Encode(), nil
}

// Prove returns what a key of the application held in the state of a stable checkpoint at sequence number from or above,
// with its proof. One replica is asked; if its answer does not hold or does not come, the next one is. The error is
// ErrNotStable if n−f replicas have no such checkpoint. Typed clients such as kv's ProvenGet know a machine's keys.
func (c *Client) Prove(ctx context.Context, key []byte, from uint64) (*statemachine.Proven, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	s := c.shell
	var document []byte
	var outcome error
	err := await(ctx, s, func(decided func()) (*session.Prove, error) {
		return s.core.AskProof(s.now(), key, wire.Seq(from), func(d []byte, _ wire.Seq, e error) {
			document, outcome = d, e
			decided()
		})
	}, s.core.EndProve)
	if err := errors.Join(err, outcome); err != nil {
		return nil, err
	}
	return c.cluster.VerifyRead(document)
}

// Members are the replicas of the cluster in the form in which certificates are verified.
func (c *Cluster) Members() attest.Members {
	if c.check() != nil {
		return attest.Members{}
	}
	return c.members()
}

func (c *Cluster) members() attest.Members {
	cfg, err := c.file.Config(0)
	if err != nil {
		return attest.Members{}
	}
	return proof.Members(&cfg)
}

// Receipt is what a verified receipt shows.
type Receipt struct {
	Request    RequestID
	Digest     [32]byte // of the request's content
	Executed   bool     // else the cluster has refused the request for good
	Seq        uint64   // of the batch that executed or refused it
	Operations [][]byte // nil if the receipt shows only the request's digest
	ReadOnly   bool     // the operations could modify nothing; known only with Operations
	Outputs    [][]byte // one for each operation
	Signers    []int    // the replicas that signed, ascending
}

// VerifyReceipt verifies a receipt with the cluster's keys alone: at least f+1 members signed it (a quorum where replicas
// only crash), and request and results are those that they signed.
func (c *Cluster) VerifyReceipt(receipt []byte) (*Receipt, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	cfg, err := c.file.Config(0)
	if err != nil {
		return nil, err
	}
	r, err := proof.DecodeReceipt(receipt)
	if err != nil {
		return nil, fmt.Errorf("read the receipt: %w", err)
	}
	reply, request, err := r.Verify(&cfg, 0, holds)
	if err != nil {
		return nil, fmt.Errorf("the receipt does not hold: %w", err)
	}
	shown := &Receipt{
		Request: requestID(reply.ID), Digest: reply.Request, Executed: reply.Outcome == wire.OutcomeExecuted, Seq: uint64(reply.Seq),
		Outputs: r.Results,
	}
	if request != nil {
		shown.Operations, shown.ReadOnly = request.Ops, request.ReadOnly
	}
	for _, s := range r.Certificate.Signatures {
		shown.Signers = append(shown.Signers, s.Replica)
	}
	return shown, nil
}

// VerifyRead verifies a proven read with the cluster's keys alone: a quorum signed the root of a checkpoint, and the
// proof shows what the key held under that root.
func (c *Cluster) VerifyRead(document []byte) (*statemachine.Proven, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	cfg, err := c.file.Config(0)
	if err != nil {
		return nil, err
	}
	read, err := proof.DecodeRead(document)
	if err != nil {
		return nil, fmt.Errorf("read the proof: %w", err)
	}
	seq, err := read.Verify(&cfg, holds)
	if err != nil {
		return nil, fmt.Errorf("the proof does not hold: %w", err)
	}
	return &statemachine.Proven{Key: read.Key, Found: read.Found, Value: read.Value, Seq: uint64(seq), Document: document}, nil
}
