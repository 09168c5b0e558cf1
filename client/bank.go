package client

import (
	"context"
	"fmt"
	"iter"

	"tagma/statemachine/bank"
)

// Bank are the calls for a cluster whose machine is the bank. What the machine refuses is a bank.Code in the error.
type Bank struct{ c *Client }

// Bank returns the calls for the bank machine.
func (c *Client) Bank() Bank { return Bank{c} }

// Open makes an account and mints amount into it.
func (b Bank) Open(ctx context.Context, name string, amount uint64) (bank.OpenResult, error) {
	result, err := do(ctx, b.c, bank.Open(name, amount), bank.DecodeOpen)
	if err != nil {
		return bank.OpenResult{}, fmt.Errorf("open %q: %w", name, err)
	}
	return result, nil
}

// Transfer moves amount from one account to another: both change or neither. It returns the balances after it.
func (b Bank) Transfer(ctx context.Context, from, to string, amount uint64) (bank.TransferResult, error) {
	result, err := do(ctx, b.c, bank.Transfer(from, to, amount), bank.DecodeTransfer)
	if err != nil {
		return bank.TransferResult{}, fmt.Errorf("transfer %d from %q to %q: %w", amount, from, to, err)
	}
	return result, nil
}

// Balance reads an account. It sees every transfer that was acknowledged, to any client, before it was called.
func (b Bank) Balance(ctx context.Context, name string) (uint64, error) {
	result, err := do(ctx, b.c, bank.Balance(name), bank.DecodeBalance, ReadOnly())
	if err != nil {
		return 0, fmt.Errorf("balance of %q: %w", name, err)
	}
	return result.Balance, nil
}

// History yields the account's entries from number first on, in ascending order, read in pages. Entries never change, so
// nothing that is written meanwhile disturbs it. An error ends the sequence.
func (b Bank) History(ctx context.Context, name string, first uint64) iter.Seq2[bank.Entry, error] {
	return func(yield func(bank.Entry, error) bool) {
		for at := first; ; {
			page, err := do(ctx, b.c, bank.History(name, at, 0), bank.DecodeHistory, ReadOnly())
			if err != nil {
				yield(bank.Entry{}, fmt.Errorf("history of %q: %w", name, err))
				return
			}
			for _, e := range page.Entries {
				if !yield(e, nil) {
					return
				}
				at = e.Number + 1
			}
			if !page.More || len(page.Entries) == 0 {
				return
			}
		}
	}
}

// Audit adds up all accounts. The bank is sound if Sum equals Supply.
func (b Bank) Audit(ctx context.Context) (bank.AuditResult, error) {
	result, err := do(ctx, b.c, bank.Audit(), bank.DecodeAudit, ReadOnly())
	if err != nil {
		return bank.AuditResult{}, fmt.Errorf("audit: %w", err)
	}
	return result, nil
}
