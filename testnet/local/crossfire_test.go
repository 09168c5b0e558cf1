package local

import (
	"context"
	"testing"
	"time"

	"tagma/internal/cluster"
	"tagma/internal/machines"
	"tagma/internal/node"
	"tagma/testnet/byzantine"
)

// TestCrossfire_NoTransferIsLostOrDoubled makes every primary faulty in turn, each in another way, while clients move
// money. At most one replica is faulty at a time, so clients must notice nothing except delays (I3, I9, V7).
func TestCrossfire_NoTransferIsLostOrDoubled(t *testing.T) {
	c := start(t, Options{
		Machine:   machines.Bank,
		Protocol:  cluster.Protocol{CheckpointInterval: 128, LogWindow: 1024},
		Malicious: map[int][]byzantine.Choice{0: {{Name: "corrupt", Values: map[string]string{"from_seq": "20"}}}}, Awake: true,
	})
	transferClients := openBank(t, c)
	fire := &crossfire{t: t, cluster: c, bank: transferClients}

	fire.goesOn("the corrupt primary", 0)
	if got := fire.reports(0, 1, 2, 3); got[1].Refused == 0 {
		t.Error("I18: the corrupt primary sent nothing that was refused")
	}
	if err := c.Stop(patience, 0); err != nil {
		t.Fatal(err)
	}
	must(t, c.Switch(t.Context(), 0, 0, false))
	fire.back(0)

	killed := fire.primary()
	c.Kill(killed)
	fire.goesOn("the killed primary", killed)
	fire.back(killed)

	paused := fire.primary()
	if err := c.Pause(paused); err != nil {
		t.Fatal(err)
	}
	fire.goesOn("the paused primary", paused)
	if err := c.Resume(paused); err != nil {
		t.Fatal(err)
	}
	fire.back(paused)

	transferClients.close()
}

// crossfire is a cluster whose primaries become faulty, and its load.
type crossfire struct {
	t       *testing.T
	cluster *Cluster
	bank    *transferClients
}

// primary is the primary of the highest active view that any replica reports.
func (f *crossfire) primary() int {
	view, primary := uint64(0), 0
	for _, r := range f.reports(f.cluster.these(nil)...) {
		if r.Active && r.View >= view {
			view, primary = r.View, r.Primary
		}
	}
	return primary
}

func (f *crossfire) reports(ids ...int) map[int]node.Report {
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	return f.cluster.Ask(ctx, ids)
}

// goesOn waits until the other replicas have replaced a bad primary and transfers are acknowledged again.
func (f *crossfire) goesOn(what string, bad int) {
	f.t.Helper()
	began := time.Now()
	var others []int
	for _, id := range f.cluster.these(nil) {
		if id != bad {
			others = append(others, id)
		}
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	err := f.cluster.Until(ctx, others, func(got map[int]node.Report) bool {
		for _, id := range others {
			if r, answered := got[id]; !answered || !r.Active || r.Primary == bad {
				return false
			}
		}
		return true
	})
	if err != nil {
		f.t.Fatalf("%s is not replaced: %v", what, err)
	}
	replaced := time.Since(began)
	f.bank.more(f.t, 200)
	f.t.Logf("%s, replica %d: replaced after %v, 200 transfers more after %v", what, bad, replaced, time.Since(began))
}

// back starts a replica, if it does not run, and waits until it has caught up.
func (f *crossfire) back(id int) {
	f.t.Helper()
	if err := f.cluster.Start(id); err != nil {
		f.t.Fatal(err)
	}
	if err := waitReady(f.cluster); err != nil {
		f.t.Fatal(err)
	}
}
