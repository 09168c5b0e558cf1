package bank

import (
	"context"
	"fmt"
	"iter"

	"tagma/internal/quote"
	"tagma/statemachine"
)

// Client has the calls for a cluster whose machine is the bank. What the machine refuses is a Code in the error. It is as
// safe for concurrent use as what it calls.
type Client struct{ caller statemachine.Caller }

// NewClient returns the calls that go through a caller, such as a *client.Client.
func NewClient(caller statemachine.Caller) Client { return Client{caller} }

// Open makes an account and mints amount into it.
func (c Client) Open(ctx context.Context, name string, amount uint64) (OpenResult, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Open(name, amount), DecodeOpen, false)
	if err != nil {
		return OpenResult{}, fmt.Errorf("open %s: %w", quote.Short(name), err)
	}
	return result, nil
}

// Transfer moves amount from one account to another: both change or neither. It returns the balances after it.
func (c Client) Transfer(ctx context.Context, from, to string, amount uint64) (TransferResult, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Transfer(from, to, amount), DecodeTransfer, false)
	if err != nil {
		return TransferResult{}, fmt.Errorf("transfer %d from %s to %s: %w", amount, quote.Short(from), quote.Short(to), err)
	}
	return result, nil
}

// Balance reads an account. It sees every transfer that was acknowledged, to any client, before it was called.
func (c Client) Balance(ctx context.Context, name string) (uint64, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Balance(name), DecodeBalance, true)
	if err != nil {
		return 0, fmt.Errorf("balance of %s: %w", quote.Short(name), err)
	}
	return result.Balance, nil
}

// History yields the account's entries from number first on, in ascending order, read in pages. Entries never change, so
// nothing that is written meanwhile disturbs it. An error ends the sequence.
func (c Client) History(ctx context.Context, name string, first uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for at := first; ; {
			page, _, err := statemachine.Ask(ctx, c.caller, History(name, at, 0), DecodeHistory, true)
			if err != nil {
				yield(Entry{}, fmt.Errorf("history of %s: %w", quote.Short(name), err))
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
func (c Client) Audit(ctx context.Context) (AuditResult, error) {
	result, _, err := statemachine.Ask(ctx, c.caller, Audit(), DecodeAudit, true)
	if err != nil {
		return AuditResult{}, fmt.Errorf("audit: %w", err)
	}
	return result, nil
}
