package swarm

import (
	"context"
	"flag"
	"slices"
	"testing"

	"tagma/testnet/byzantine"
	"tagma/testnet/sim"
)

var (
	firstSeed = flag.Uint64("swarm.seed", 1, "the first seed")
	seeds     = flag.Uint64("swarm.seeds", 20, "how many are run, each twice")
)

func TestRun_EverySeedIsOneRunAndKeepsEveryInvariant(t *testing.T) {
	hashes := map[string]uint64{}
	next := *firstSeed
	s, err := Run(context.Background(), Options{First: *firstSeed, Seeds: *seeds, Workers: 2, Twice: true}, func(r *Result, _ *Summary) error {
		if r.Plan.Seed != next {
			t.Errorf("seed %d is told after seed %d", r.Plan.Seed, next)
		}
		next++
		if r.Violation != nil {
			t.Errorf("%v\nagain: tagma-testnet sim --swarm --seed %d", r.Violation, r.Plan.Seed)
		}
		if other, twice := hashes[r.Hash]; twice {
			t.Errorf("seeds %d and %d are the same run", r.Plan.Seed, other)
		}
		hashes[r.Hash] = r.Plan.Seed
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if uint64(s.Seeds) != *seeds || s.Acknowledged == 0 || s.ViewsEntered == 0 || s.FaultsFired == 0 || s.Restarts == 0 {
		t.Errorf("I18: %+v", s)
	}
	t.Log(s)
}

// In the wide setting, everything that can be drawn is drawn at some time, and every plan is valid for its cluster.
func TestDraw_DrawsTheWholeCatalogue(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(4000) {
		p := Wide.Draw(seed, 0)
		for name := range attackersOf(p) {
			seen[name] = true
		}
		for _, f := range p.Faults {
			seen[faultOf(&f)] = true
		}
		f := (p.Replicas - 1) / 3
		if bad := len(p.Faulty()) + len(p.Cut); bad > f {
			t.Fatalf("seed %d: %d faulty replicas of %d", seed, bad, p.Replicas)
		}
		for _, f := range p.Faults {
			if f.Do.OfDisk() && !slices.Contains(p.Damaged, f.Replica) && !slices.Contains(p.Forgetful, f.Replica) {
				t.Fatalf("seed %d: %s of replica %d, which counts as correct", seed, f.Do, f.Replica)
			}
			if p.Heal > 0 && f.Until > p.Heal {
				t.Fatalf("seed %d: %s goes on after the healing", seed, f.Do)
			}
		}
		o, err := p.Options()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, m := range o.Malicious {
			if err := byzantine.Check(m.Choice, p.Replicas); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for _, r := range p.Rogues {
			if _, err := byzantine.ParseClientChoice(r.Behaviour); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
	want := []string{
		"two processes under one key", "crash-after", "crash-at", "crash-all", "pause", "clock-jump", "kill-client", "network partition",
		"network ring", "network isolate", "network link", "network rule",
	}
	for _, b := range byzantine.Catalogue() {
		want = append(want, b.Name)
	}
	for _, b := range byzantine.ClientBehaviours() {
		want = append(want, "client "+b.Name)
	}
	for _, k := range []sim.FaultKind{
		sim.BitRot, sim.TornTail, sim.LyingSync, sim.IOError, sim.DiskFull, sim.Wiped, sim.WipedAgain, sim.StateLost, sim.Unmounted,
		sim.RolledBack,
	} {
		want = append(want, "disk "+string(k))
	}
	for _, name := range want {
		if !seen[name] {
			t.Errorf("%s is never drawn", name)
		}
	}
}
