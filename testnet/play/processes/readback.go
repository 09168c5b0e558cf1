package processes

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tagma/client"
	"tagma/internal/machines"
	"tagma/testnet/check"
	"tagma/testnet/observe"
	"tagma/testnet/scenario"
)

const bankMachine = machines.Bank

// readBack reads everything that was written.
func (l *load) readBack(ctx context.Context) (map[string]check.Found, error) {
	c := l.sessions[slices.Min(slices.Collect(maps.Keys(l.sessions)))]
	once := make(map[string]bool)
	var keys []check.Write
	for _, w := range l.writes {
		if !once[w.Key] {
			once[w.Key] = true
			keys = append(keys, w)
		}
	}
	if l.s.Workload.Kind == scenario.KindBank {
		return balances(ctx, c, keys)
	}
	began := time.Since(l.began)
	found, err := observe.ReadBack(ctx, c, keys, func(int) {})
	if err != nil {
		return found, err
	}
	for _, w := range keys {
		f, there := found[w.Key]
		l.history = append(l.history, check.Call{
			Client: -1, Op: check.Op{Kind: check.Get, Key: w.Key}, Invoked: began, Returned: time.Since(l.began), Known: true,
			Out: check.Out{Found: there, Value: f.Value, Version: f.Version},
		})
	}
	return found, nil
}

// balances reads accounts into which 1 was transferred at a time: the balance is how often.
func balances(ctx context.Context, c *client.Client, accounts []check.Write) (map[string]check.Found, error) {
	found := make(map[string]check.Found, len(accounts))
	for _, a := range accounts {
		balance, err := c.Bank().Balance(ctx, a.Key)
		if err != nil {
			return found, fmt.Errorf("read the balance of %q back: %w", a.Key, err)
		}
		found[a.Key] = check.Found{Value: isOpen, Version: balance}
	}
	audit, err := c.Bank().Audit(ctx)
	if err != nil {
		return found, fmt.Errorf("audit the bank: %w", err)
	}
	if audit.Sum != audit.Supply {
		return found, fmt.Errorf("audit the bank: the balances add up to %d, and %d was minted", audit.Sum, audit.Supply)
	}
	return found, nil
}
