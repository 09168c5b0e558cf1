package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tagma/client"
	"tagma/internal/command"
	"tagma/statemachine/attest"
	"tagma/statemachine/bank"
	"tagma/statemachine/commit"
	"tagma/txn"
)

func newCommit() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "commit",
		Short: "Show and resolve transactions over several clusters",
		Long: `A transaction whose client died keeps its keys and amounts locked until its coordinator decides. pending lists what a cluster
holds, status says what each cluster knows of a transaction, and resolve carries it to its end: any client may.`,
		Example: `  tagma commit pending --with east=east/cluster.toml --with west=west/cluster.toml
  tagma commit resolve 5e1f… --with east=east/cluster.toml --with west=west/cluster.toml`,
		RunE: subcommand("commit", "`tagma help commit` lists status, resolve and pending"),
	}
	cmd.AddCommand(newCommitStatus(), newCommitResolve(), newCommitPending())
	return cmd
}

// ended is what a transaction came to, as JSON.
type ended struct {
	TID     string   `json:"tid"`
	Outcome string   `json:"outcome"` // committed or aborted
	Group   string   `json:"group,omitempty"`
	Why     string   `json:"why,omitempty"`
	Open    []string `json:"open,omitempty"` // clusters that have not answered yet that they finished
	words   string
}

// told turns the outcome of a transaction into what is printed, and keeps every other error.
func told(done txn.Committed, err error) (*ended, *attest.Certificate, error) {
	var aborted *txn.Aborted
	switch {
	case err == nil:
		e := &ended{TID: hex.EncodeToString(done.TID[:]), Outcome: "committed", Open: done.Open}
		e.words = "committed " + e.TID + "\n" + openWords(done.Open, e.TID)
		return e, done.Receipt, nil
	case errors.As(err, &aborted):
		e := &ended{TID: hex.EncodeToString(aborted.TID[:]), Outcome: "aborted", Group: aborted.Group, Why: aborted.Why, Open: aborted.Open}
		e.words = "aborted " + e.TID + "\n" + openWords(aborted.Open, e.TID)
		return e, aborted.Receipt, nil
	}
	return nil, nil, err
}

func openWords(open []string, tid string) string {
	if len(open) == 0 {
		return ""
	}
	return fmt.Sprintf("%s did not answer yet and may still hold it: `tagma commit resolve %s` goes on\n", strings.Join(open, ", "), tid)
}

// receiptFlag lets a command save the coordinator's receipt.
func receiptFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "receipt", "", "save what shows the outcome to this `file`: of a request a receipt, over several clusters the coordinator's signed decision")
}

func saveReceipt(file string, c *attest.Certificate) error {
	switch {
	case file == "":
		return nil
	case c == nil:
		return errors.New("the receipt was not collected in time; `tagma commit resolve` with --receipt collects it")
	}
	if err := os.WriteFile(file, c.Encode(), 0o644); err != nil { //nolint:gosec // a receipt is for others to read
		return fmt.Errorf("save the receipt: %w", err)
	}
	return nil
}

func newCommitResolve() *cobra.Command {
	var s several
	var receipt string
	cmd := &cobra.Command{
		Use:   "resolve TID...",
		Short: "Carry transactions of other clients to their end",
		Long: `Have the coordinator of each transaction decide, and tell every other cluster. Name all clusters that take part, with --with.
Before its deadline a transaction is only committed, if all are prepared; after it, the coordinator aborts what it has not
decided. resolve waits for the deadline if it comes within the timeout. Committed and aborted are both exit code 0.`,
		Example: `  tagma commit resolve 5e1f… --with east=east/cluster.toml --with west=west/cluster.toml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 && receipt == "" {
				return nil
			}
			return command.Takes("TID")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.each(cmd.Context(), 2, func(ctx context.Context) error {
				for _, word := range args {
					tid, err := parseTID(word)
					if err != nil {
						return err
					}
					e, c, err := told(txn.Resolve(ctx, tid, s.groups...))
					if errors.Is(err, txn.ErrNoRecord) {
						return command.Missingf("resolve %s: %w", word, err)
					}
					if err = cmp.Or(err, saveReceipt(receipt, c)); err != nil {
						return fmt.Errorf("resolve %s: %w", word, older(err))
					}
					if err := s.print(cmd, e, e.words); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	s.flags(cmd, 30*time.Second)
	s.withFlag(cmd)
	receiptFlag(cmd, &receipt)
	return cmd
}

// knownTo is what a cluster knows of a transaction, as JSON.
type knownTo struct {
	Group       string     `json:"group"`
	State       string     `json:"state"` // none, prepared, refused, committed, aborted; "" with an error
	Coordinator bool       `json:"coordinator,omitempty"`
	Deadline    *time.Time `json:"deadline,omitempty"`
	Since       *time.Time `json:"since,omitempty"` // it is prepared
	Locks       []string   `json:"locks,omitempty"`
	Why         string     `json:"why,omitempty"`
	Error       string     `json:"error,omitempty"`
}

func instant(ns int64) *time.Time {
	if ns == 0 {
		return nil
	}
	at := time.Unix(0, ns).UTC()
	return &at
}

func newCommitStatus() *cobra.Command {
	var s several
	cmd := &cobra.Command{
		Use:   "status TID",
		Short: "Say what each cluster knows of a transaction",
		Long: `Ask each cluster of --with what it recorded of the transaction: prepared, refused, committed or aborted; since when it is
prepared, up to when the coordinator may commit, and which keys it locks.`,
		Example: `  tagma commit status 5e1f… --with east=east/cluster.toml --with west=west/cluster.toml`,
		Args:    command.Takes("TID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			tid, err := parseTID(args[0])
			if err != nil {
				return err
			}
			return s.each(cmd.Context(), 1, func(ctx context.Context) error {
				words, all := "", []knownTo{}
				for _, k := range txn.Status(ctx, tid, s.groups...) {
					e := knownTo{Group: k.Group, State: commit.StateNone.String()}
					switch r := k.Record; {
					case k.Err != nil:
						e.State, e.Error = "", older(k.Err).Error()
						words += fmt.Sprintf("%s\terror: %s\n", k.Group, e.Error)
					case r == nil:
						words += k.Group + "\tnone\n"
					default:
						e.State, e.Coordinator, e.Deadline, e.Since, e.Why = r.State.String(), r.Coordinator, instant(r.Deadline), instant(r.Since), r.Why
						for _, name := range r.Locks {
							e.Locks = append(e.Locks, string(name))
						}
						words += e.line()
					}
					all = append(all, e)
				}
				return s.print(cmd, map[string]any{"tid": args[0], "groups": all}, words)
			})
		},
	}
	s.flags(cmd, defaultTimeout)
	s.withFlag(cmd)
	return cmd
}

func (e *knownTo) line() string {
	line := e.Group + "\t" + e.State
	if e.Coordinator {
		line += " (coordinator)"
	}
	if e.Since != nil {
		line += fmt.Sprintf("\tsince %s, deadline %s", e.Since.Format(time.RFC3339), e.Deadline.Format(time.RFC3339))
	}
	if len(e.Locks) > 0 {
		line += fmt.Sprintf("\tlocks %q", e.Locks)
	}
	if e.Why != "" {
		line += "\t" + e.Why
	}
	return line + "\n"
}

func newCommitPending() *cobra.Command {
	var s several
	cmd := &cobra.Command{
		Use:   "pending",
		Short: "List the transactions that clusters hold keys or amounts for",
		Long: `List, for each cluster of --with, the transactions that it prepared and that their coordinators have not decided yet, or whose
decision nobody has brought: identifier, how long it is prepared, and when its deadline is.`,
		Example: `  tagma commit pending --with east=east/cluster.toml`,
		Args:    command.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.each(cmd.Context(), 1, func(ctx context.Context) error {
				words, all := "", map[string][]pendingEntry{}
				for i, g := range s.groups {
					name := g.About().Name
					all[name] = []pendingEntry{}
					for after, more := (commit.TID{}), true; more; {
						p, err := readPending(ctx, s.clients[i], after)
						if err != nil {
							return fmt.Errorf("%s: %w", name, older(err))
						}
						for _, r := range p.Records {
							e := pendingEntry{
								TID: hex.EncodeToString(r.TID[:]), AgeSeconds: float64(p.Now-r.Since) / 1e9, Deadline: *instant(r.Deadline), Passed: p.Now > r.Deadline,
							}
							all[name] = append(all[name], e)
							words += e.line(name)
							after = r.TID
						}
						more = p.More
					}
				}
				return s.print(cmd, map[string]any{"pending": all}, words)
			})
		},
	}
	s.flags(cmd, defaultTimeout)
	s.withFlag(cmd)
	return cmd
}

// pendingEntry is a prepared transaction, as JSON.
type pendingEntry struct {
	TID        string    `json:"tid"`
	AgeSeconds float64   `json:"age_seconds"`
	Deadline   time.Time `json:"deadline"`
	Passed     bool      `json:"deadline_passed"` // by this cluster's clock
}

func (e *pendingEntry) line(group string) string {
	line := fmt.Sprintf("%s\t%s\tfor %.0f s, deadline %s", group, e.TID, e.AgeSeconds, e.Deadline.Format(time.RFC3339))
	if e.Passed {
		line += " (passed: resolve it)"
	}
	return line + "\n"
}

func readPending(ctx context.Context, c *client.Client, after commit.TID) (commit.Pending, error) {
	result, err := c.Query(ctx, commit.ReadPending(after, 0))
	if err != nil {
		return commit.Pending{}, err
	}
	return commit.DecodePending(result.Output())
}

// transferAcross moves an amount from an account of one cluster to one of another.
func (s *several) transferAcross(cmd *cobra.Command, payer, payee string, amount uint64, deadline time.Duration, receipt string) error {
	return s.each(cmd.Context(), 2, func(ctx context.Context) error {
		from, account, err := s.account(payer)
		if err != nil {
			return err
		}
		to, other, err := s.account(payee)
		switch {
		case err != nil:
			return err
		case from == to:
			return command.Unusablef("%s and %s are of one cluster; leave @%s and --with out", payer, payee, from.About().Name)
		}
		t := txn.New(from, to).
			Part(from, bank.Part(bank.Move{Account: account, Amount: amount, Group: to.ID(), Other: other})).
			Part(to, bank.Part(bank.Move{Credit: true, Account: other, Amount: amount, Group: from.ID(), Other: account})).
			Deadline(deadline)
		return s.runAndTell(ctx, cmd, fmt.Sprintf("transfer %d from %s to %s", amount, payer, payee), t, receipt)
	})
}

func (s *several) runAndTell(ctx context.Context, cmd *cobra.Command, what string, t *txn.Txn, receipt string) error {
	done, err := t.Run(ctx)
	e, c, failed := told(done, err)
	if err == nil {
		err = cmp.Or(failed, saveReceipt(receipt, c))
	}
	if err != nil {
		if errors.Is(err, txn.ErrStranger) {
			err = command.NotUsable(err)
		}
		return fmt.Errorf("%s: %w", what, older(err))
	}
	return s.print(cmd, e, e.words)
}

// account splits alice@east.
func (s *several) account(word string) (*txn.Group, string, error) {
	account, name, found := strings.Cut(word, "@")
	if !found {
		return nil, "", command.Unusablef("%s names no cluster; write ACCOUNT@NAME with a NAME of --with", command.Quote(word))
	}
	g, err := s.group(name)
	return g, account, err
}
