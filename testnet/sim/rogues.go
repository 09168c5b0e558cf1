package sim

import (
	"fmt"

	"tagma/internal/machines"
	"tagma/testnet/byzantine"
	rogues "tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/check"
	"tagma/testnet/history"
)

// host lets a plan's malicious clients at the cluster.
func (p *Plan) host(w *World) error {
	for i, r := range p.Rogues {
		choice, err := byzantine.ParseClientChoice(r.Behaviour)
		if err != nil {
			return fmt.Errorf("rogue client %d: %w", i, err)
		}
		err = w.Host(p.Clients+i, r.From, r.Until, func(c rogues.Config, s tamper.Sign) (rogues.Client, error) {
			c.Operation = func(n uint64) []byte { return w.rogueOperation(i, n) }
			return rogues.New(choice, c, s)
		})
		if err != nil {
			return fmt.Errorf("rogue client %d: %w", i, err)
		}
	}
	return nil
}

// rogueOperation is one of many that the machine executes, and that no correct client's answers depend on.
func (w *World) rogueOperation(rogue int, n uint64) []byte {
	op := check.Op{Kind: check.Put, Key: fmt.Sprintf("rogue%d", rogue), Value: fmt.Sprint(n)}
	if w.opt.Machine == machines.Bank { // of an account that is not there, which no audit counts
		op = check.Op{Kind: check.Balance, Key: fmt.Sprintf("rogue%d/%d", rogue, n)}
	}
	return history.Encode(&op)
}
