package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/machines"
	"tagma/internal/terminal"
	"tagma/statemachine/bank"
)

func newBank() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bank",
		Short: "Open accounts and move money between them, on a cluster whose machine is the bank",
		Long: `Use a cluster that was made with tagma init --machine bank. Amounts and balances are whole numbers from 0 to 2^64−1.
Opening an account mints its first amount; transfers are atomic; so all balances together are always what was minted, which
audit checks. Account names have 1 to 64 visible ASCII characters.`,
		Example: `  tagma bank open alice 100
  tagma bank open bob
  tagma bank transfer alice bob 30
  tagma bank balance bob
  tagma bank history bob`,
		RunE: func(_ *cobra.Command, args []string) error {
			const list = "`tagma help bank` lists open, transfer, balance, history and audit"
			if len(args) == 0 {
				return command.Unusablef("bank: no command given; %s", list)
			}
			return command.Unusablef("there is no command `tagma bank %s`; %s", args[0], list)
		},
	}
	cmd.AddCommand(newBankOpen(), newBankTransfer(), newBankBalance(), newBankHistory(), newBankAudit())
	return cmd
}

// bankFlags are the flags of every command of the bank.
func bankFlags(to *target, cmd *cobra.Command) *cobra.Command {
	to.flags(cmd, defaultTimeout)
	to.machine = machines.Bank
	return cmd
}

func parseAmount(word string) (uint64, error) {
	n, err := strconv.ParseUint(word, 10, 64)
	if err != nil {
		return 0, command.Unusablef("%q is no amount; give a whole number from 0 to 18446744073709551615", word)
	}
	return n, nil
}

// accountState is what open and balance print as JSON.
type accountState struct {
	Account string  `json:"account"`
	Balance uint64  `json:"balance"`
	Entries *uint64 `json:"entries,omitempty"` // in the account's history
	Supply  *uint64 `json:"supply,omitempty"`  // of all accounts
	Seq     uint64  `json:"seq"`               // sequence number of the batch that executed the operation
}

func newBankOpen() *cobra.Command {
	var to target
	cmd := bankFlags(&to, &cobra.Command{
		Use:   "open ACCOUNT [AMOUNT]",
		Short: "Open an account and mint its first amount",
		Long:  `Open ACCOUNT with AMOUNT, 0 if it is left out. The amount is new money. An account that exists already is an error.`,
		Example: `  tagma bank open alice 100
  tagma bank open bob`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return command.Takes("ACCOUNT", "at most one AMOUNT")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			amount := uint64(0)
			if len(args) == 2 {
				if amount, err = parseAmount(args[1]); err != nil {
					return err
				}
			}
			what := fmt.Sprintf("open %q", args[0])
			return perform(cmd, &to, what, bank.Open(args[0], amount), bank.DecodeOpen, func(r bank.OpenResult, seq uint64) (any, string) {
				return accountState{Account: args[0], Balance: r.Balance, Supply: &r.Supply, Seq: seq}, fmt.Sprintf("OK %s %d\n", args[0], r.Balance)
			})
		},
	})
	to.semanticsFlag(cmd)
	to.receiptFlag(cmd)
	return cmd
}

func newBankTransfer() *cobra.Command {
	var s several
	var deadline time.Duration
	to := &s.target
	cmd := bankFlags(to, &cobra.Command{
		Use:   "transfer FROM TO AMOUNT",
		Short: "Move an amount from one account to another",
		Long: `Move AMOUNT, at least 1, from FROM to TO: both accounts change, or neither. It prints both balances after it. A balance
that is too small is an error, and so is an account that does not exist.

With --with, FROM and TO are accounts of different clusters, such as alice@east. The payer's cluster coordinates; the clusters
must know each other (tagma help group). It prints "committed" and the transaction's identifier.`,
		Example: `  tagma bank transfer alice bob 30
  tagma bank transfer alice@east bob@west 30 --with east=east/cluster.toml --with west=west/cluster.toml`,
		Args: command.Takes("FROM", "TO", "AMOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := parseAmount(args[2])
			if err != nil {
				return err
			}
			if len(s.with) > 0 {
				return s.transferAcross(cmd, args[0], args[1], amount, deadline, to.receipt)
			}
			what, op := fmt.Sprintf("transfer %d from %q to %q", amount, args[0], args[1]), bank.Transfer(args[0], args[1], amount)
			return perform(cmd, to, what, op, bank.DecodeTransfer, func(r bank.TransferResult, seq uint64) (any, string) {
				return map[string]any{
					"from": args[0], "to": args[1], "amount": amount, "from_balance": r.From, "to_balance": r.To, "seq": seq,
				}, fmt.Sprintf("OK %s %d, %s %d\n", args[0], r.From, args[1], r.To)
			})
		},
	})
	to.semanticsFlag(cmd)
	s.acrossFlags(cmd, &deadline, &to.receipt)
	return cmd
}

// bankReadFlags are the flags of every command of the bank that changes nothing.
func bankReadFlags(to *target, cmd *cobra.Command) *cobra.Command {
	bankFlags(to, cmd)
	to.readSemanticsFlag(cmd)
	return cmd
}

func newBankBalance() *cobra.Command {
	var to target
	return bankReadFlags(&to, &cobra.Command{
		Use:     "balance ACCOUNT",
		Short:   "Read an account's balance",
		Long:    `Print the balance of ACCOUNT: at least as new as everything that was acknowledged before the command was started.`,
		Example: `  tagma bank balance alice`,
		Args:    command.Takes("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			tell := func(r bank.BalanceResult, seq uint64) (any, string) {
				return accountState{Account: args[0], Balance: r.Balance, Entries: &r.Entries, Seq: seq}, fmt.Sprintf("%d\n", r.Balance)
			}
			return perform(cmd, &to, fmt.Sprintf("balance of %q", args[0]), bank.Balance(args[0]), bank.DecodeBalance, tell, client.ReadOnly())
		},
	})
}

// historyEntry is one entry as the command history prints it in JSON.
type historyEntry struct {
	Number  uint64    `json:"number"` // in the account's history, from 1
	Kind    string    `json:"kind"`   // opened, sent or received
	Other   string    `json:"other,omitempty"`
	Amount  uint64    `json:"amount"`
	Balance uint64    `json:"balance"` // after the change
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"` // agreed time
}

func newBankHistory() *cobra.Command {
	var (
		to    target
		from  uint64
		limit uint
	)
	cmd := bankReadFlags(&to, &cobra.Command{
		Use:   "history ACCOUNT",
		Short: "List what changed an account",
		Long: `List the entries of ACCOUNT's history in the order of execution: number, agreed time, what was done, the other account, and
the balance after it.`,
		Example: `  tagma bank history alice
  tagma bank history alice --from 101 --limit 50`,
		Args: command.Takes("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				entries, err := readHistory(ctx, c, args[0], from, limit)
				if err != nil {
					return err
				}
				words := ""
				for _, e := range entries {
					words += fmt.Sprintf("%d\t%s\t%s\n", e.Number, e.Time.Format(time.RFC3339), e.text())
				}
				return to.print(cmd, map[string]any{"account": args[0], "entries": entries}, words)
			})
		},
	})
	cmd.Flags().Uint64Var(&from, "from", 1, "`number` of the first entry")
	cmd.Flags().UintVar(&limit, "limit", 0, "most `entries` to list; 0 for all")
	return cmd
}

func readHistory(ctx context.Context, c *client.Client, account string, from uint64, limit uint) ([]historyEntry, error) {
	entries := []historyEntry{}
	for e, err := range bank.NewClient(c).History(ctx, account, from) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, historyEntry{
			Number: e.Number, Kind: e.Kind.String(), Other: e.Other, Amount: e.Amount, Balance: e.Balance, Seq: e.Seq,
			Time: time.Unix(0, e.Time).UTC(),
		})
		if uint(len(entries)) == limit {
			break
		}
	}
	return entries, nil
}

func (e *historyEntry) text() string {
	switch e.Kind {
	case bank.Sent.String():
		return fmt.Sprintf("sent %d to %s, balance %d", e.Amount, e.Other, e.Balance)
	case bank.Received.String():
		return fmt.Sprintf("received %d from %s, balance %d", e.Amount, e.Other, e.Balance)
	}
	return fmt.Sprintf("opened with %d", e.Amount)
}

func newBankAudit() *cobra.Command {
	var to target
	return bankReadFlags(&to, &cobra.Command{
		Use:   "audit",
		Short: "Check that all balances together are what was minted",
		Long: `Add up all balances and compare the sum with what was minted. A difference is exit code 1: it would show a fault of the
software, since no client can cause it.`,
		Example: `  tagma bank audit`,
		Args:    command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			decode := func(result []byte) (bank.AuditResult, error) {
				r, err := bank.DecodeAudit(result)
				if err == nil && r.Sum != r.Supply {
					err = fmt.Errorf("the balances of %d accounts sum up to %d, but %d was minted", r.Accounts, r.Sum, r.Supply)
				}
				return r, err
			}
			return perform(cmd, &to, "audit", bank.Audit(), decode, func(r bank.AuditResult, seq uint64) (any, string) {
				return map[string]any{"supply": r.Supply, "sum": r.Sum, "accounts": r.Accounts, "seq": seq},
					fmt.Sprintf("OK %d in %s\n", r.Supply, terminal.Count(int(r.Accounts), "account"))
			}, client.ReadOnly())
		},
	})
}
