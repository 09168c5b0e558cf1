package sim

import (
	"strings"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/wire"
	"tagma/statemachine/kv"
)

// two makes two clusters under one clock, with a program that writes a value to the one, and then to the other.
func two(t *testing.T, seed uint64, hear func(trace.Event)) (east, west *World, order *[]string) {
	t.Helper()
	order = new([]string)
	o := Options{Seed: seed, Config: small(), Clients: 1, Cluster: "east", Trace: hear}
	o.Applied = func(a Applied) {
		if strings.Contains(string(a.Op), "across") {
			*order = append(*order, "east")
		}
	}
	east = mustNew(t, o)
	o.Seed, o.Replicas, o.Cluster, o.Beside = seed+1000, 7, "west", east
	o.Applied = func(a Applied) {
		if strings.Contains(string(a.Op), "across") {
			*order = append(*order, "west")
		}
	}
	west = mustNew(t, o)
	there, here := east.Join(), west.Join()
	put := [][]byte{kv.Put([]byte("across"), []byte("x"))}
	east.At(time.Second, func() {
		there.Do(put, false, func(o *Operation) {
			if o.Known && len(o.Results) == 1 {
				here.Do(put, false, func(*Operation) { *order = append(*order, "done") })
			}
		})
	})
	return east, west, order
}

func TestBeside_TwoWorldsHaveOneClockAndNoLinks(t *testing.T) {
	seen := map[string]int{}
	east, west, order := two(t, 1, func(e trace.Event) { seen[trace.Of(e).Cluster]++ })
	east.mustRun(t, 3*time.Second)
	if east.Now() != west.Now() || east.Acknowledged() < 100 || west.Acknowledged() < 100 {
		t.Errorf("at %v and %v %d and %d operations are acknowledged", east.Now(), west.Now(), east.Acknowledged(), west.Acknowledged())
	}
	if got := strings.Join(*order, " "); got != "east west done" {
		t.Errorf("the program's operations: %s", got)
	}
	if seen["east"] == 0 || seen["west"] == 0 || seen[""] > 0 {
		t.Errorf("events by cluster: %v", seen)
	}
	if east.Config().Cluster == west.Config().Cluster || east.Config().Members[0] == west.Config().Members[0] {
		t.Error("the clusters share a key")
	}
}

func TestBeside_OneSeedIsOneRun(t *testing.T) {
	var hashes []string
	for range 2 {
		east, west, _ := two(t, 7, nil)
		west.mustRun(t, 2*time.Second)
		hashes = append(hashes, east.Hash()+west.Hash())
	}
	if hashes[0] != hashes[1] {
		t.Errorf("one seed is two runs: %v", hashes)
	}
}

// A signature that was made in one cluster can be verified in the other, because receipts of one are used in the other.
func TestBeside_SignaturesOfOneClusterHoldInTheOther(t *testing.T) {
	east, west, _ := two(t, 1, nil)
	p := east.Join()
	claim := wire.Claim{Signer: p.Key(), Signed: []byte("x"), Sig: p.Sign([]byte("x"))}
	if !west.Holds([]wire.Claim{claim}) {
		t.Error("a signature of east does not hold in west")
	}
	if claim.Signed = []byte("y"); west.Holds([]wire.Claim{claim}) {
		t.Error("another text has this signature, too")
	}
}

// A violation in one cluster ends the run of both. The report names the cluster.
func TestBeside_AViolationEndsTheRunOfAll(t *testing.T) {
	east, west, _ := two(t, 1, nil)
	west.At(time.Second, func() { west.fail("I1", 2, "broken") })
	err := east.RunUntil(2 * time.Second)
	if err == nil || !strings.Contains(err.Error(), "west/2") || west.Now() != time.Second {
		t.Errorf("at %v: %v", west.Now(), err)
	}
}

func TestProgram_IsKilledAndStartsAgain(t *testing.T) {
	east, _, _ := two(t, 1, nil)
	p := east.Join()
	east.mustRun(t, time.Second)
	put := [][]byte{kv.Put([]byte("k"), []byte("v"))}
	answers := 0
	p.Do(put, false, func(*Operation) { answers++ })
	p.Kill(0, BeforeSend, nil)
	if p.Up() || p.Do(put, false, func(*Operation) { answers++ }) != nil {
		t.Error("a program that was killed sends")
	}
	east.mustRun(t, 2*time.Second)
	if answers != 0 {
		t.Errorf("a program that was killed had %d answers", answers)
	}
	p.Start()
	p.Do(put, false, func(o *Operation) {
		if answers++; !o.Known || o.Outcome != wire.OutcomeExecuted {
			t.Errorf("%+v", o)
		}
	})
	east.mustRun(t, 3*time.Second)
	if answers != 1 {
		t.Errorf("%d answers", answers)
	}
}
