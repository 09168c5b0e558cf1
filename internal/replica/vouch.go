package replica

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"tagma/internal/proof"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

// ErrNothingToProve says that a proof cannot be given, although nothing is wrong.
var ErrNothingToProve = errors.New("no stable checkpoint is kept that is new enough")

// MayVouch reports whether a replica may sign statements about its state (TX5): not while its state is wrong, too old to
// follow or being replaced, and not while it may have forgotten what it signed. It still is only one replica; what makes
// a statement believable is that f+1 signed it.
func MayVouch(in *port.Inspection) bool {
	return !in.Diverged && !in.LeftBehind && !in.Asking && !in.Silent && !in.Halted
}

// Attest answers a client's question with a signed statement from executed, committed state. Client is the key that the
// link authenticates: nobody gets a receipt of another client's request. The question ends once stop is closed. Any
// goroutine may call it; the caller checks MayVouch before and after.
func (x *Executor) Attest(stop <-chan struct{}, client wire.PublicKey, m *wire.Attest, sign func([]byte) [64]byte) (*wire.Attestation, error) {
	answer := &wire.Attestation{Nonce: m.Nonce, Outcome: wire.NothingAttested}
	switch m.What {
	case wire.VouchedReply:
		cached := x.Service.Cached(client, uint64(m.Session), m.T)
		switch cached.Outcome {
		case 0:
			return answer, nil
		case statemachine.OutcomeExpired:
			answer.Outcome = wire.NoLongerHeld
			return answer, nil
		default: // executed, or refused for ever
		}
		reply := protocolReply(&cached)
		answer.Statement = proof.StatementOf(reply)
		if m.Results {
			answer.Results = reply.Results
		}
	case wire.VouchedMachine:
		statement, ok, err := x.Service.Attest(stop, m.Op)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return answer, nil
		case attest.KindOf(statement) != attest.KindMachine || len(statement) > attest.MaxStatement: // else it could pass for a receipt
			return nil, fmt.Errorf("the machine vouches with %d bytes that attest.Machine did not make, or with more than %d bytes",
				len(statement), attest.MaxStatement)
		}
		answer.Statement = statement
	}
	answer.Outcome = wire.Attested
	answer.Sig = sign(attest.Bytes(x.cfg.Cluster, x.cfg.Epoch, int(x.cfg.Self), answer.Statement))
	return answer, nil
}

// Offer tells the executor that a checkpoint is stable, and durable here.
func (x *Executor) Offer(cert wire.StableCert) { x.stable.Store(&cert) }

// Prove answers a client's question for a proven read from the newest stable checkpoint (K1). Its cost is one path of
// the tree, which is in memory, and one read of the store. Any goroutine may call it.
func (x *Executor) Prove(m *wire.Prove) (*wire.Proof, error) {
	answer := &wire.Proof{Nonce: m.Nonce}
	cert := x.stable.Load()
	if cert == nil || len(cert.Checkpoints) == 0 {
		return answer, nil
	}
	answer.Stable = cert.Seq
	if cert.Seq < m.From {
		return answer, nil
	}
	tree, view, err := x.store.Pin(uint64(cert.Seq))
	if err != nil {
		return nil, err
	}
	defer tree.Release()
	defer view.Close()
	stored := statemachine.StoredKey(m.Key)
	read := &proof.Read{Key: m.Key, Cert: cert.Proof()}
	if read.Value, read.Found, err = view.Get(stored); err != nil {
		return nil, err
	}
	path, ok := tree.Path(sha256.Sum256(stored))
	if !ok {
		return nil, ErrNothingToProve
	}
	read.Path = path
	if answer.Document = read.Encode(); len(answer.Document) > wire.MaxAnswer {
		return nil, fmt.Errorf("a proof of %d bytes is above the limit of %d", len(answer.Document), wire.MaxAnswer)
	}
	return answer, nil
}
