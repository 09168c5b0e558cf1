package sim

import (
	"slices"
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
)

// hasty is a core that does not execute the third batch.
type hasty struct{ driver.Core }

func (c hasty) Step(ev port.Event) []port.Effect {
	return slices.DeleteFunc(slices.Clone(c.Core.Step(ev)), func(e port.Effect) bool {
		x, is := e.(port.Execute)
		return is && x.Seq == 3
	})
}

// A replica that lies from some time on is judged as a correct one until then, and is not judged afterwards
// (docs/faults.md).
func TestMalicious_IsJudgedAsCorrectUntilItLies(t *testing.T) {
	for _, from := range []time.Duration{0, time.Second} {
		breaks := func(_ *World, id wire.ReplicaID, core driver.Core) driver.Core {
			if id == 3 {
				return hasty{core}
			}
			return core
		}
		w := mustNew(t, Options{
			Seed: 1, Config: small(), Clients: 3, Around: breaks,
			Malicious: []Malicious{{Replica: 3, Choice: byzantine.Choice{Name: "silent"}, From: from}},
		})
		if w.Correct(3) != (from > 0) {
			t.Errorf("from %v on it lies, and at first it is correct: %t", from, w.Correct(3))
		}
		_ = w.RunUntil(900 * time.Millisecond)
		if v := w.Violation(); (v != nil) != (from > 0) || v != nil && v.Replica != 3 {
			t.Errorf("from %v on it lies; before, %v", from, v)
		}
	}
	w := mustNew(t, Options{
		Seed: 1, Config: small(), Clients: 3,
		Malicious: []Malicious{{Replica: 3, Choice: byzantine.Choice{Name: "equivocate"}, From: 300 * time.Millisecond}},
	})
	w.mustRun(t, time.Second)
	if w.Correct(3) {
		t.Error("it is still correct after it began to lie")
	}
}
