package replica_test

import (
	"testing"
	"time"

	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/byzantine/client"
	"tagma/testnet/byzantine/tamper"
	"tagma/testnet/sim"
)

// counter counts the operations of each batch that a replica proposes.
type counter struct {
	driver.Core
	batches *[]int
}

func (c counter) Step(ev port.Event) []port.Effect {
	out := c.Core.Step(ev)
	for _, e := range out {
		b, broadcasts := e.(port.Broadcast)
		if !broadcasts {
			continue
		}
		if p, proposes := b.Msg.(*wire.PrePrepare); proposes && p.Body != nil {
			n := 0
			for _, r := range p.Body.Requests {
				n += len(r.Ops)
			}
			*c.batches = append(*c.batches, n)
		}
	}
	return out
}

// S4: a valid batch may have tens of thousands of empty operations. The memory of correct replicas remains bounded (the
// monitor always checks I14), and they execute the requests of other clients.
func TestTinyOperations_FullBatchesOfNothingHoldNobodyUp(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	served := func(primary, accomplice string) (acknowledged int, batches []int) {
		o := sim.Options{
			Seed: 1, Clients: 16, Workload: sim.Workload{Kind: "put", Rate: 50}, Unit: time.Microsecond,
			Config: wire.Config{CheckpointInterval: 5, LogWindow: 10, ViewTimeout: 2 * T},
			Around: func(_ *sim.World, id wire.ReplicaID, core driver.Core) driver.Core {
				if id == 0 {
					return counter{core, &batches}
				}
				return core
			},
		}
		if primary != "" {
			c, err := byzantine.ParseChoice(primary)
			if err != nil {
				t.Fatal(err)
			}
			o.Malicious = []sim.Malicious{{Replica: 0, Choice: c}}
		}
		w, err := sim.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if accomplice != "" {
			make := func(cfg client.Config, sign tamper.Sign) (client.Client, error) {
				return client.New(tamper.Choice{Name: accomplice}, cfg, sign)
			}
			if err := w.Host(16, T, 0, make); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.RunUntil(14 * T); err != nil {
			t.Fatal(err)
		}
		if in, _ := w.Inspect(1); in.View > 0 {
			t.Errorf("view %d was entered", in.View)
		}
		return w.Acknowledged(), batches
	}
	alone, _ := served("", "")
	beside, batches := served("tiny-operations", "empty-client")
	full, most := 0, 0
	for _, n := range batches {
		if most = max(most, n); n >= 20_000 {
			full++
		}
	}
	if most < 65_000 || full < 10 {
		t.Errorf("I18: %d batches of %d had 20,000 operations or more, the largest one %d", full, len(batches), most)
	}
	if beside*2 < alone {
		t.Errorf("%d operations were acknowledged beside it, %d without it", beside, alone)
	}
}
