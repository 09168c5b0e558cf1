package comeback

import (
	"slices"
	"testing"
)

// The load is raised until enough keys change between the measured checkpoints, even if enough changed with that load
// before the measurement.
func TestEnough_CheckpointsAreWatchedUnderMoreLoadUntilEnoughKeysChange(t *testing.T) {
	for name, c := range map[string]struct {
		changes map[float64]float64 // by share
		want    []float64
	}{
		"at once":   {map[float64]float64{0.5: largeChanges}, shares[:1]},
		"some less": {map[float64]float64{0.5: largeChanges - 23, 0.65: largeChanges + 1}, shares[:2]},
		"never":     {nil, shares},
	} {
		var tried []float64
		w := enough(func(share float64) watched {
			tried = append(tried, share)
			return watched{share: share, changes: c.changes[share]}
		})
		if last := c.want[len(c.want)-1]; !slices.Equal(tried, c.want) || w.share != last || w.changes != c.changes[last] {
			t.Errorf("%s: tried %v, want %v; kept %v", name, tried, c.want, w)
		}
	}
	if last := shares[len(shares)-1]; last != 0 {
		t.Errorf("the last share is %v, and not as much as there is", last)
	}
}
