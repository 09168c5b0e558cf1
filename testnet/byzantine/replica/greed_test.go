package replica_test

import (
	"strings"
	"testing"
	"time"

	"tagma/internal/trace"
	"tagma/pbft/budget"
	"tagma/pbft/wire"
	"tagma/testnet/byzantine"
	"tagma/testnet/sim"
)

// fetchCounts has the counts of a run in which replica 3 asks for data without end.
type fetchCounts struct {
	asked   map[string]int // replica 3's questions to replica 1, by type of message
	given   [3]int         // by replica: bytes that it sent to replica 3 after replica 3 began to ask
	ordered int            // bytes of all pre-prepares that the primary sent to replica 1
}

// serve runs a cluster for so many timeouts. Clients put values of this size, and replica 3 asks for data as the choice
// says.
func serve(t *testing.T, choice string, value, timeouts int) *fetchCounts {
	t.Helper()
	c, err := byzantine.ParseChoice(choice)
	if err != nil {
		t.Fatal(err)
	}
	const from = 6 * T
	f := &fetchCounts{asked: map[string]int{}}
	w, err := sim.New(sim.Options{
		Seed: 1, Clients: 6, Workload: sim.Workload{Kind: "put", ValueBytes: value, Keys: 2000, Rate: 200},
		Config:    wire.Config{CheckpointInterval: 10, LogWindow: 20, ViewTimeout: T, MaxBatch: 2},
		Malicious: []sim.Malicious{{Replica: 3, Choice: c, From: from}},
		Trace: func(e trace.Event) {
			sent, is := e.(*trace.Sent)
			if !is {
				return
			}
			began := time.Duration(sent.At)*time.Microsecond >= from
			kind, _, _ := strings.Cut(sent.Message.String(), " ")
			switch {
			case sent.Replica == 0 && sent.To == 1 && kind == "pre-prepare":
				f.ordered += sent.Bytes
			case sent.Replica == 3 && sent.To == 1 && began:
				f.asked[kind]++
			case sent.To == 3 && sent.Replica != 3 && began:
				f.given[sent.Replica] += sent.Bytes
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RunUntil(from + time.Duration(timeouts)*T); err != nil {
		t.Fatal(err)
	}
	if in, _ := w.Inspect(1); in.View > 0 {
		t.Errorf("view %d was entered", in.View)
	}
	return f
}

// S4: in a timeout a replica is given at most as much as the others' logs hold, and twice as much as is ordered in that
// time (ADR 10). A replica that asks eight times as often is given no more.
func TestGreedyFetch_WhatItIsHelpedWithIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	const timeouts = 4
	for what, question := range map[string]string{"votes": "status", "bodies": "fetch"} {
		seldom := serve(t, "greedy-fetch,rate=1,what="+what, 2000, timeouts)
		often := serve(t, "greedy-fetch,rate=8,what="+what, 2000, timeouts)
		if seldom.asked[question] < 25*timeouts || often.asked[question] < 7*seldom.asked[question] {
			t.Errorf("I18: it asked for %s %d and %d times", what, seldom.asked[question], often.asked[question])
		}
		for id, bytes := range often.given {
			// A log holds at most what was ordered, and every replica is sent what is ordered once anyway.
			if most := (timeouts + 2 + 2 + 1) * often.ordered; bytes > most || bytes > seldom.given[id]*11/10 {
				t.Errorf("replica %d gave it %d bytes of %s, more than %d, or than %d", id, bytes, what, most, seldom.given[id])
			}
		}
	}
}

// X0, X3: a replica that asks really gets batches of the journal and parts of the state.
func TestGreedyFetch_BatchesAndStateAreReallyGiven(t *testing.T) {
	const timeouts = 2
	honest := serve(t, "crash", 2000, timeouts)
	for what, question := range map[string]string{"batches": "fetch-slots", "state": "fetch-state"} {
		f := serve(t, "greedy-fetch,rate=4,what="+what, 2000, timeouts)
		if f.asked[question] < 150*timeouts {
			t.Errorf("I18: it asked for %s %d times", what, f.asked[question])
		}
		for id, bytes := range f.given {
			if bytes < honest.given[id]*5/4 || bytes > (timeouts+1)*budget.BulkBytes {
				t.Errorf("replica %d gave it %d bytes of %s, and %d unasked", id, bytes, what, honest.given[id])
			}
		}
	}
}

// S4: a replica asks both the core and the donor for everything. It is given exactly the two parts of its budget (ADR
// 34), because only the budget ends the answers.
func TestGreedyFetch_OfEverythingAtOnceItIsGivenOneBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	const timeouts, value = 1, 30_000
	f := serve(t, "greedy-fetch,rate=4,what=all", value, timeouts)
	log := f.ordered + 256<<10 // a log holds at most what was ordered, with the votes for it
	help, bulk := (timeouts+2)*log+2*f.ordered, timeouts*budget.BulkBytes+budget.BulkBytes/4
	for id, bytes := range f.given {
		// Every replica gets what is ordered without asking.
		if most := help + bulk + f.ordered*5/4; bytes > most || bytes < bulk {
			t.Errorf("replica %d gave it %d bytes, want %d to %d", id, bytes, bulk, most)
		}
	}
}
