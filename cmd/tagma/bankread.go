package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/internal/terminal"
	"tagma/statemachine/bank"
)

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
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				r, seq, err := askBank(ctx, c, bank.Balance(args[0]), bank.DecodeBalance, client.ReadOnly())
				if err != nil {
					return fmt.Errorf("balance of %q: %w", args[0], err)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), accountState{Account: args[0], Balance: r.Balance, Entries: &r.Entries, Seq: seq})
				}
				return terminal.Say(cmd.OutOrStdout(), "%d\n", r.Balance)
			})
		},
	})
}

// historyEntry is what history prints of each entry as JSON.
type historyEntry struct {
	Number  uint64    `json:"number"` // in the account's history, from 1
	Kind    string    `json:"kind"`   // opened, sent or received
	Other   string    `json:"other,omitempty"`
	Amount  uint64    `json:"amount"`
	Balance uint64    `json:"balance"` // after it
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"` // agreed
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
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), map[string]any{"account": args[0], "entries": entries})
				}
				for _, e := range entries {
					if err := terminal.Say(cmd.OutOrStdout(), "%d\t%s\t%s\n", e.Number, e.Time.Format(time.RFC3339), e.text()); err != nil {
						return err
					}
				}
				return nil
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
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				r, seq, err := askBank(ctx, c, bank.Audit(), bank.DecodeAudit, client.ReadOnly())
				if err != nil {
					return fmt.Errorf("audit: %w", err)
				}
				if r.Sum != r.Supply {
					return fmt.Errorf("audit: the balances of %d accounts sum up to %d, but %d was minted", r.Accounts, r.Sum, r.Supply)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), map[string]any{
						"supply": r.Supply, "sum": r.Sum, "accounts": r.Accounts, "seq": seq,
					})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK %d in %s\n", r.Supply, terminal.Count(int(r.Accounts), "account"))
			})
		},
	})
}
