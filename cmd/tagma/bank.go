package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

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

// askBank has one operation executed. Refusals that follow from the arguments alone are the arguments' fault.
func askBank[T any](ctx context.Context, c *client.Client, op []byte, decode func([]byte) (T, error), opts ...client.CallOption) (T, uint64, error) {
	var decoded T
	result, err := c.Do(ctx, op, opts...)
	if err == nil {
		decoded, err = decode(result.Output())
	}
	var code bank.Code
	if errors.As(err, &code) && (code == bank.BadName || code == bank.SameAccount || code == bank.ZeroAmount) {
		err = command.NotUsable(err)
	}
	return decoded, result.Seq, err
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
	Entries *uint64 `json:"entries,omitempty"` // in its history
	Supply  *uint64 `json:"supply,omitempty"`  // of all accounts
	Seq     uint64  `json:"seq"`               // of the batch it was executed in
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
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				op := bank.Open(args[0], amount)
				if done, err := to.sentOnly(ctx, cmd, c, op); done {
					return err
				}
				r, seq, err := askBank(ctx, c, op, bank.DecodeOpen)
				if err != nil {
					return fmt.Errorf("open %q: %w", args[0], err)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), accountState{Account: args[0], Balance: r.Balance, Supply: &r.Supply, Seq: seq})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK %s %d\n", args[0], r.Balance)
			})
		},
	})
	to.semanticsFlag(cmd)
	return cmd
}

func newBankTransfer() *cobra.Command {
	var to target
	cmd := bankFlags(&to, &cobra.Command{
		Use:   "transfer FROM TO AMOUNT",
		Short: "Move an amount from one account to another",
		Long: `Move AMOUNT, at least 1, from FROM to TO: both accounts change, or neither. It prints both balances after it. A balance
that is too small is an error, and so is an account that does not exist.`,
		Example: `  tagma bank transfer alice bob 30`,
		Args:    command.Takes("FROM", "TO", "AMOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := parseAmount(args[2])
			if err != nil {
				return err
			}
			return to.do(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				op := bank.Transfer(args[0], args[1], amount)
				if done, err := to.sentOnly(ctx, cmd, c, op); done {
					return err
				}
				r, seq, err := askBank(ctx, c, op, bank.DecodeTransfer)
				if err != nil {
					return fmt.Errorf("transfer %d from %q to %q: %w", amount, args[0], args[1], err)
				}
				if to.JSON {
					return command.PrintJSON(cmd.OutOrStdout(), map[string]any{
						"from": args[0], "to": args[1], "amount": amount, "from_balance": r.From, "to_balance": r.To, "seq": seq,
					})
				}
				return terminal.Say(cmd.OutOrStdout(), "OK %s %d, %s %d\n", args[0], r.From, args[1], r.To)
			})
		},
	})
	to.semanticsFlag(cmd)
	return cmd
}
