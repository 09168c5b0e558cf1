package local

import (
	"testing"

	"tagma/testnet/byzantine"
)

// A behaviour that attacks links runs beside an honest core while it is active. It harms only its own replica.
func TestControl_ABehaviourOfLinksRunsWhileItIsAwake(t *testing.T) {
	t.Parallel()
	c, session := controlled(t, Options{Malicious: map[int][]byzantine.Choice{3: {{Name: "exhaust"}, {Name: "malformed"}}}})
	must(t, put(t, session, patience))
	lies := func(i int) int {
		if n := c.Counts(3).Lies; len(n) == 2 {
			return n[i]
		}
		return 0
	}
	for i, name := range []string{"exhaust", "malformed"} {
		if n := lies(i); n != 0 {
			t.Fatalf("%s: a dormant behaviour did something %d times", name, n)
		}
		must(t, c.Switch(t.Context(), 3, i, true))
		must(t, put(t, session, patience))
		until(t, name+" does something", func() bool { return lies(i) >= 100 })
		must(t, put(t, session, patience))
		must(t, c.Switch(t.Context(), 3, i, false))
		must(t, put(t, session, patience))
	}
}

// A behaviour that attacks links may also be active from the start, without an order.
func TestStart_AReplicaThatAttacksLinksIsMasked(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"exhaust", "malformed"} {
		c, err := Create(Options{Dir: t.TempDir(), Replicas: 4, Malicious: map[int][]byzantine.Choice{3: {{Name: name}}}, Awake: true})
		must(t, err)
		t.Cleanup(c.Close)
		must(t, c.Start())
		must(t, waitReady(c, 0, 1, 2)) // the attacker itself may never be ready
		until(t, "replica 0 refuses what is no message", func() bool {
			return name == "exhaust" || c.Ask(t.Context(), []int{0})[0].Refused >= 3
		})
	}
}
