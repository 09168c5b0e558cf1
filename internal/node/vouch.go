package node

import (
	"context"

	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// vouch answers questions for attestations and proofs. They wait for their turn together with reads of past states, and
// have the same bounds, since they read the same store.
type vouch struct {
	*queries
	node *Node
}

// mayNot reports whether this replica must not sign anything about its state (TX5).
func (v *vouch) mayNot() bool { return !replica.MayVouch(v.node.inspection()) }

// attest returns a signed statement; false if there is no answer.
func (v *vouch) attest(ctx context.Context, client wire.PublicKey, m *wire.Attest) (wire.Message, bool) {
	answer, err := inTurn(ctx, v.queries, client, 0, v.mayNot, func(stop <-chan struct{}) (a *wire.Attestation, err error) {
		err = v.node.reads(stop, func(i *instance, stop <-chan struct{}) error {
			a, err = i.machine.executor.Attest(stop, client, m, v.node.home.Key.Sign)
			return err
		})
		return a, err
	})
	if err != nil {
		v.failed(err, 0)
		return nil, false
	}
	return answer, !v.mayNot() // the state may have been found wrong meanwhile
}

// prove returns a proven read; false if there is no answer. A wrong state cannot be proven, so a replica need not find
// out first whether its own is wrong.
func (v *vouch) prove(ctx context.Context, client wire.PublicKey, m *wire.Prove) (wire.Message, bool) {
	answer, err := inTurn(ctx, v.queries, client, uint64(m.From), v.mayNot, func(stop <-chan struct{}) (p *wire.Proof, err error) {
		err = v.node.reads(stop, func(i *instance, _ <-chan struct{}) error {
			p, err = i.machine.executor.Prove(m)
			return err
		})
		return p, err
	})
	if err != nil {
		v.failed(err, uint64(m.From))
		return nil, false
	}
	return answer, true
}
