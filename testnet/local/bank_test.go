package local

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"tagma/client"
	"tagma/crypto"
	"tagma/internal/reach"
	"tagma/statemachine/bank"
)

// The load on the bank. Every transfer moves an amount of its own, by which it can be recognised.
const (
	bankAccounts = 8
	bankSessions = 8
	bankWorkers  = 4 // workers of each session, each of which waits for one answer; 32 in all
	bankOpening  = 1 << 40
)

func account(i uint64) string { return fmt.Sprintf("account%d", i%bankAccounts) }

// parties are the two accounts of transfer number id.
func parties(id uint64) (from, to string) {
	return account(id), account(id + 1 + id/bankAccounts%(bankAccounts-1))
}

// transferClients are clients that transfer money until they are closed.
type transferClients struct {
	t        *testing.T
	sessions []*client.Client
	stop     chan struct{}
	workers  sync.WaitGroup

	mu           sync.Mutex
	given        uint64 // the number of the last transfer
	acknowledged []uint64
	progress     chan struct{} // closed and replaced when a transfer is acknowledged
}

// openBank opens the accounts and begins to transfer.
func openBank(t *testing.T, c *Cluster) *transferClients {
	t.Helper()
	key, err := crypto.ReadKey(c.ClientKey(0))
	if err != nil {
		t.Fatal(err)
	}
	b := &transferClients{t: t, stop: make(chan struct{}), progress: make(chan struct{})}
	for range bankSessions {
		s, err := reach.Dial(t.Context(), c.File, key)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() }) // by then the outcomes of its transfers are counted
		b.sessions = append(b.sessions, s)
	}
	for i := range uint64(bankAccounts) {
		if _, err := bank.NewClient(b.sessions[0]).Open(t.Context(), account(i), bankOpening); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() { cancel(); b.workers.Wait() })
	for _, s := range b.sessions {
		for range bankWorkers {
			b.workers.Go(func() { b.work(ctx, bank.NewClient(s)) })
		}
	}
	return b
}

func (b *transferClients) work(ctx context.Context, to bank.Client) {
	for {
		select {
		case <-b.stop:
			return
		default:
		}
		b.mu.Lock()
		b.given++
		id := b.given
		b.mu.Unlock()
		payer, recipient := parties(id)
		if _, err := to.Transfer(ctx, payer, recipient, id); err != nil {
			b.t.Errorf("transfer %d: %v", id, err)
			return
		}
		b.mu.Lock()
		b.acknowledged = append(b.acknowledged, id)
		close(b.progress)
		b.progress = make(chan struct{})
		b.mu.Unlock()
	}
}

// more waits until so many further transfers are acknowledged.
func (b *transferClients) more(t *testing.T, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	b.mu.Lock()
	goal := len(b.acknowledged) + n
	b.mu.Unlock()
	for {
		b.mu.Lock()
		done, progress := len(b.acknowledged), b.progress
		b.mu.Unlock()
		if done >= goal {
			return
		}
		select {
		case <-progress:
		case <-ctx.Done():
			t.Fatalf("%d of %d transfers more were acknowledged within %v", n-goal+done, n, patience)
		}
	}
}

// close ends the transfers and compares the accounts with the acknowledged transfers.
func (b *transferClients) close() {
	b.t.Helper()
	close(b.stop)
	b.workers.Wait()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	books := bank.NewClient(b.sessions[0])
	sum, err := books.Audit(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	if sum.Sum != sum.Supply || sum.Supply != bankAccounts*bankOpening || sum.Accounts != bankAccounts {
		b.t.Errorf("the books do not balance: %+v", sum)
	}
	sent, received := make(map[uint64]int), make(map[uint64]int)
	for i := range uint64(bankAccounts) {
		for e, err := range books.History(ctx, account(i), 1) {
			if err != nil {
				b.t.Fatal(err)
			}
			payer, recipient := parties(e.Amount)
			switch {
			case e.Kind == bank.Sent && payer == account(i) && recipient == e.Other:
				sent[e.Amount]++
			case e.Kind == bank.Received && payer == e.Other && recipient == account(i):
				received[e.Amount]++
			case e.Kind != bank.Opened:
				b.t.Errorf("%s has an entry that nobody asked for: %+v", account(i), e)
			}
		}
	}
	for _, id := range b.acknowledged {
		if sent[id] != 1 || received[id] != 1 {
			b.t.Errorf("transfer %d was acknowledged; it was sent %d times and received %d times", id, sent[id], received[id])
		}
	}
	if len(sent) != len(b.acknowledged) || len(received) != len(b.acknowledged) {
		b.t.Errorf("%d transfers were acknowledged, %d are in the books as sent and %d as received",
			len(b.acknowledged), len(sent), len(received))
	}
	b.t.Logf("%d transfers, each once", len(b.acknowledged))
}
