package swarm

import (
	"context"
	"testing"
)

func TestGroups_TransactionsAreAtomic(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 2
	}
	for groups := 2; groups <= 3; groups++ {
		s, err := RunManyGroups(context.Background(), Options{First: 1, Seeds: seeds, Workers: 2}, groups, func(r *GroupResult) error {
			if r.Violation != nil {
				t.Errorf("seed %d, %d groups: %v", r.Plan.Seed, groups, r.Violation)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("\n%s", s)
	}
}
