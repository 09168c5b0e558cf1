package bank

import (
	"context"
	"fmt"
	"iter"

	"tagma/internal/quote"
	"tagma/statemachine"
)

// Client calls the bank on a cluster that runs it. When the machine refuses an operation, the error is a Code. A Client
// is as safe for concurrent use as its caller.
type Client struct{ caller statemachine.Caller }

// MachineName is the bank's name in cluster files, unless a program gives it another one.
const MachineName = "bank"

// NewClient returns a Client that sends its operations through a caller, such as a *client.Client. If the cluster runs
// another machine, every call ends with statemachine.ErrWrongMachine, and nothing is sent.
func NewClient(caller statemachine.Caller) Client { return NewClientOf(caller, MachineName) }

// NewClientOf is NewClient for a cluster whose program gives the bank another name.
func NewClientOf(caller statemachine.Caller, machine string) Client {
	return Client{statemachine.For(caller, machine)}
}

// The results of the calls. Seq is the sequence number of the batch that executed the operation; BalanceAt can read the
// state after it.
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
	// Account is an account at the time of the read.
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

// Open creates an account and mints amount into it.
func (c Client) Open(ctx context.Context, name string, amount uint64) (OpenedAccount, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Open(name, amount), DecodeOpen, false)
	if err != nil {
		return OpenedAccount{}, fmt.Errorf("open %s: %w", quote.Short(name), err)
	}
	return OpenedAccount{result, seq}, nil
}

// Transfer moves amount from one account to another: both change or neither does. It returns the balances after it. The
// machine refuses a transfer that exceeds the balance, so a caller need not read the balance first.
func (c Client) Transfer(ctx context.Context, from, to string, amount uint64) (Transferred, error) {
	result, seq, err := statemachine.Ask(ctx, c.caller, Transfer(from, to, amount), DecodeTransfer, false)
	if err != nil {
		return Transferred{}, fmt.Errorf("transfer %d from %s to %s: %w", amount, quote.Short(from), quote.Short(to), err)
	}
	return Transferred{result, seq}, nil
}

// Balance reads an account. It sees every transfer, of any client, that was acknowledged before the call.
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

// BalanceAt reads an account as it was after sequence number at. The error is statemachine.ErrNotRetained if the
// replicas no longer keep that state.
func (c Client) BalanceAt(ctx context.Context, name string, at uint64) (uint64, error) {
	result, err := statemachine.AskAt(ctx, c.caller, Balance(name), DecodeBalance, at)
	if err != nil {
		return 0, fmt.Errorf("balance of %s at sequence number %d: %w", quote.Short(name), at, err)
	}
	return result.Balance, nil
}

// History yields the account's entries from number first on, in ascending order. It reads them in pages; entries never
// change, so writes between two pages do not disturb it. An error ends the sequence.
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
