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

// MachineName is what cluster files call the bank, unless a program of its own calls it otherwise.
const MachineName = "bank"

// NewClient returns the calls that go through a caller, such as a *client.Client. On a cluster that runs another machine
// each of them ends with statemachine.ErrWrongMachine, and nothing is sent.
func NewClient(caller statemachine.Caller) Client { return NewClientOf(caller, MachineName) }

// NewClientOf is NewClient for a cluster whose program calls the bank by another name.
func NewClientOf(caller statemachine.Caller, machine string) Client {
	return Client{statemachine.For(caller, machine)}
}

// The results of the calls, each with the sequence number of the batch that it was executed in: BalanceAt reads the state
// after that.
type (
	// OpenedAccount is what Open did.
	OpenedAccount struct {
		OpenResult
		Seq uint64
	}
	// Transferred is what Transfer did.
	Transferred struct {
		TransferResult
		Seq uint64
	}
	// Account is an account as it was.
	Account struct {
		BalanceResult
		Seq uint64
	}
	// Audited is what Audit found.
	Audited struct {
		AuditResult
		Seq uint64
	}
)

// Open makes an account and mints amount into it.
func (c Client) Open(ctx context.Context, name string, amount uint64) (OpenedAccount, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Open(name, amount), DecodeOpen, false)
	if err != nil {
		return OpenedAccount{}, fmt.Errorf("open %s: %w", quote.Short(name), err)
	}
	return OpenedAccount{result, seq}, nil
}

// Transfer moves amount from one account to another: both change or neither. It returns the balances after it. It is the
// bank's compare-and-swap too: it refuses by itself what the balance does not allow, so nobody reads that before.
func (c Client) Transfer(ctx context.Context, from, to string, amount uint64) (Transferred, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Transfer(from, to, amount), DecodeTransfer, false)
	if err != nil {
		return Transferred{}, fmt.Errorf("transfer %d from %s to %s: %w", amount, quote.Short(from), quote.Short(to), err)
	}
	return Transferred{result, seq}, nil
}

// Balance reads an account. It sees every transfer that was acknowledged, to any client, before it was called.
func (c Client) Balance(ctx context.Context, name string) (uint64, error) {
	account, err := c.Account(ctx, name)
	return account.Balance, err
}

// Account is Balance with the length of the account's history.
func (c Client) Account(ctx context.Context, name string) (Account, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Balance(name), DecodeBalance, true)
	if err != nil {
		return Account{}, fmt.Errorf("balance of %s: %w", quote.Short(name), err)
	}
	return Account{result, seq}, nil
}

// BalanceAt reads an account as it was after sequence number at: statemachine.ErrNotRetained when the replicas have given
// that state up.
func (c Client) BalanceAt(ctx context.Context, name string, at uint64) (uint64, error) {
	result, err := statemachine.AskAt(ctx, c.caller, Balance(name), DecodeBalance, at)
	if err != nil {
		return 0, fmt.Errorf("balance of %s at sequence number %d: %w", quote.Short(name), at, err)
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
func (c Client) Audit(ctx context.Context) (Audited, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Audit(), DecodeAudit, true)
	if err != nil {
		return Audited{}, fmt.Errorf("audit: %w", err)
	}
	return Audited{result, seq}, nil
}
