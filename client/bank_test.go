package client

import (
	"errors"
	"testing"

	"tagma/statemachine/bank"
)

func TestBank_TransfersAreAtomicAndRecorded(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		c, ctx := bank.NewClient(f.serve(t, bank.Machine{})), t.Context()
		for name, amount := range map[string]uint64{"alice": 100, "bob": 0} {
			if r, err := c.Open(ctx, name, amount); err != nil || r.Balance != amount {
				t.Fatalf("open %s: %+v, %v", name, r, err)
			}
		}
		if r, err := c.Transfer(ctx, "alice", "bob", 30); err != nil || r.TransferResult != (bank.TransferResult{From: 70, To: 30}) || r.Seq == 0 {
			t.Errorf("transfer: %+v, %v", r, err)
		}
		if _, err := c.Transfer(ctx, "bob", "alice", 31); !errors.Is(err, bank.Insufficient) {
			t.Errorf("more than there is: %v", err)
		}
		if n, err := c.Balance(ctx, "bob"); err != nil || n != 30 {
			t.Errorf("balance: %d, %v", n, err)
		}
		if r, err := c.Audit(ctx); err != nil || r.AuditResult != (bank.AuditResult{Supply: 100, Sum: 100, Accounts: 2}) || r.Seq == 0 {
			t.Errorf("audit: %+v, %v", r, err)
		}
		if _, err := c.Open(ctx, "bob", 1); !errors.Is(err, bank.AccountExists) {
			t.Errorf("open twice: %v", err)
		}
		if _, err := c.Balance(ctx, "eve"); !errors.Is(err, bank.NoAccount) {
			t.Errorf("the balance of nobody: %v", err)
		}
	})
}

func TestBank_AHistoryIsReadInPages(t *testing.T) {
	withCluster(t, func(t *testing.T, f *fake) {
		client, ctx := f.serve(t, bank.Machine{}), t.Context()
		ops := [][]byte{bank.Open("alice", bank.MaxPage), bank.Open("bob", 0)}
		for range bank.MaxPage + 2 {
			ops = append(ops, bank.Transfer("alice", "bob", 1))
		}
		for len(ops) > 0 {
			n := min(len(ops), 8)
			if _, err := client.DoMany(ctx, ops[:n]); err != nil {
				t.Fatal(err)
			}
			ops = ops[n:]
		}
		for _, first := range []uint64{0, bank.MaxPage - 1} {
			next := max(first, 1)
			for e, err := range bank.NewClient(client).History(ctx, "bob", first) {
				if err != nil || e.Number != next || e.Balance != next-1 {
					t.Fatalf("entry %d: %+v, %v", next, e, err)
				}
				next++
			}
			if next != bank.MaxPage+2 {
				t.Errorf("the history from %d on ends before entry %d", first, next)
			}
		}
		for _, err := range bank.NewClient(client).History(ctx, "eve", 0) {
			if !errors.Is(err, bank.NoAccount) {
				t.Errorf("the history of nobody: %v", err)
			}
		}
	})
}
