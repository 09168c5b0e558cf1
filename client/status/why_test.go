package status

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// waiting is the report of a healthy replica that waits for something.
func waiting(change func(*Report, *Waits)) *Report {
	r := in(1, 10, "aa")
	r.Primary, r.Quorum, r.Handed, r.Executed = 1, 3, 12, 12
	r.Waits = &Waits{Timer: "nothing was heard of the primary", Silence: true, TimerMillis: 1000, LeftMillis: 900}
	change(r, r.Waits)
	return r
}

// For live and for saved reports, Why lists the true cause first, and its sentence says what is missing and from
// whom.
func TestWhy_NamesTheTrueCauseFirst(t *testing.T) {
	well := waiting(func(*Report, *Waits) {})
	slot := func(s Slot) *Report {
		return waiting(func(_ *Report, w *Waits) { s.Seq, s.Accepted, s.ForMillis = 13, true, 700; w.Slots = []Slot{s} })
	}
	linked := func(ids ...int) *Report {
		return waiting(func(r *Report, _ *Waits) {
			r.Connected, r.Health = ids, "too few replicas connected: 1 of the 2 needed"
		})
	}
	changing := func(held ...int) *Report {
		return waiting(func(r *Report, w *Waits) {
			r.View, r.Primary, r.Active, r.Health, w.ViewChanges = 2, 2, false, "changing views", held
		})
	}
	full := func(votes ...StateVotes) *Report {
		return waiting(func(_ *Report, w *Waits) { w.Full, w.Checkpoints = true, []CheckpointVotes{{20, votes}} })
	}
	split := waiting(func(r *Report, w *Waits) {
		r.Split, r.Health = 20, "replicas disagree on the state after 20"
		w.Full, w.Checkpoints = true, []CheckpointVotes{{20, []StateVotes{{"aaaa", []int{0, 1}}, {"bbbb", []int{2, 3}}}}}
	})
	executing := waiting(func(r *Report, _ *Waits) {
		r.Health, r.Executing = "executing batch 13 for 40 s", &Executing{Seq: 13, Seconds: 40, Request: "dead", Client: "beef"}
	})
	silence := waiting(func(_ *Report, w *Waits) {
		w.LeftMillis, w.Request = 300, &Request{Client: "beef", Number: 7, ForMillis: 700}
	})
	withheld := waiting(func(_ *Report, w *Waits) { w.Request = &Request{Client: "beef", Number: 7, ForMillis: 700} })
	ahead := waiting(func(_ *Report, w *Waits) { w.Slots = []Slot{{Seq: 13, AheadMillis: 4000}} })
	fetching := waiting(func(r *Report, _ *Waits) {
		r.Health = "fetching the state from the others"
		r.Recovery = &Recovery{Phase: PhaseFetching, Transfer: &Transfer{Checkpoint: 10, Share: 0.4, Bytes: 12 << 20, RemainingMillis: 4000, Donors: []int{0, 1}}}
	})
	forgotten := waiting(func(r *Report, _ *Waits) {
		r.Health, r.Waits = "may have forgotten what it signed", nil
		r.Recovery = &Recovery{Phase: PhaseForgotten, Why: "its journal is gone", Whole: []int{0}, NoAnswer: []int{1, 2}, Needed: 2}
	})
	for name, c := range map[string]struct {
		reports []*Report
		code    Code
		stops   bool
		text    string
	}{
		"two of four dead": {[]*Report{well, well, nil, nil}, CauseNoQuorum, true, "2 of 4 replicas answer, and 3 are needed"},
		"one dead":         {[]*Report{well, well, well, nil}, CauseAway, false, "3 of 4 replicas answer, which is enough: replica 3: connection refused"},
		"partition 2-2":    {[]*Report{linked(1), linked(0), linked(3), linked(2)}, CausePartition, true, "replicas 0, 1 | replicas 2, 3; none has the 3"},
		"partition 3-1": {
			[]*Report{linked(1, 2), linked(0, 2), linked(0, 1), linked()}, CausePartition, false, "replicas 0, 1, 2 | replica 3",
		},
		"primary silent before the timeout": {
			[]*Report{silence, nil, silence, silence},
			CausePrimarySilent, true,
			"replicas 0, 2, 3 heard nothing of replica 1, the primary of view 1, for 700ms; it is suspected in 300ms",
		},
		"a request that is not ordered": {
			[]*Report{withheld, well, withheld, well}, CauseNotOrdered, true, "replica 1, the primary of view 1, has not ordered request 7 of client beef for 700ms, as replicas 0, 2 know",
		},
		"a view change lacks a ViewChange": {
			[]*Report{changing(0, 3), well, nil, changing(0, 3)},
			CauseNoViewChange, true,
			"replicas 0, 3 moved to view 2, which needs the ViewChange messages of 3: there are those of replicas 0, 3, and none of replicas 1, 2",
		},
		"a view change lacks all": {
			[]*Report{changing(), well, nil, changing()}, CauseNoViewChange, true, "replicas 0, 3 moved to view 2, which needs the ViewChange messages of 3: there are none yet",
		},
		"commits lack all": {
			[]*Report{slot(Slot{Body: true, Prepares: []int{0, 1, 2}}), slot(Slot{Body: true, Prepares: []int{0, 1, 2}})},
			CauseNoVotes, true, "waits for commits: there are those of no replica, and 3 are needed",
		},
		"a new view is not started": {
			[]*Report{changing(0, 1, 3), changing(0, 1, 3), nil, changing(0, 1)},
			CauseNoNewView, true,
			"replica 2, the primary of view 2, has not started it, though the ViewChange messages of replicas 0, 1, 3 are there",
		},
		"a new view whose body nobody has": {
			[]*Report{slot(Slot{}), slot(Slot{}), slot(Slot{}), nil}, CauseNoBody, true, "batch 13 waits for its requests, which none of replicas 0, 1, 2 holds",
		},
		"prepares lack": {
			[]*Report{slot(Slot{Body: true, Prepares: []int{0, 1}}), slot(Slot{Body: true, Prepares: []int{0, 1}}), well, well},
			CauseNoVotes, true,
			"batch 13 waits for prepares: there are those of replicas 0, 1, and 3 are needed; replicas 2, 3 lack",
		},
		"commits lack": {
			[]*Report{slot(Slot{Body: true, Prepares: []int{0, 1, 2}, Commits: []int{0}}), slot(Slot{Body: true, Prepares: []int{0, 1}, Commits: []int{0, 1}})},
			CauseNoVotes, true, "is prepared and waits for commits: there are those of replicas 0, 1, and 3 are needed; replicas 2, 3 lack",
		},
		"window full, states differ": {[]*Report{split, split, split, split}, CauseSplit, true, "after 20: aaaa by replicas 0, 1, bbbb by replicas 2, 3"},
		"window full, votes lack": {
			[]*Report{full(StateVotes{"aaaa", []int{0, 1}}), full(StateVotes{"aaaa", []int{0, 1}}), nil, nil, nil}[:4], CauseNoQuorum, true, "2 of 4",
		},
		"window full, votes of those that answer lack": {
			[]*Report{full(StateVotes{"aaaa", []int{0, 1}}), full(StateVotes{"aaaa", []int{0, 1}}), well, well},
			CauseNoCheckpoint, true,
			"the window of replicas 0, 1 is full, and only a stable checkpoint makes room: checkpoint 20 has the votes of replicas 0, 1 and needs 3; replicas 2, 3 lack",
		},
		"an operation that does not end": {[]*Report{executing, executing, executing, executing}, CauseExecuting, true, "executing batch 13 for 40 s: request dead of client beef"},
		"a full disk":                    {[]*Report{well, waiting(func(r *Report, _ *Waits) { r.DiskFreeBytes = 5 << 20 }), well, well}, CauseDiskFull, false, "replica 1 has 5 MiB left"},
		"a very slow disk": {
			[]*Report{well, well, waiting(func(r *Report, _ *Waits) { r.TurnMillis = 4200 }), well}, CauseDiskSlow, false, "replica 2 waits for its disk: a turn has taken 4.2s",
		},
		"behind and transferring": {
			[]*Report{well, well, well, fetching}, CauseTransferring, false, "replica 3 is behind and fetches the state after batch 10 from replicas 0, 1: 40 %, 12 MiB, 4s left",
		},
		"an amnesiac that waits": {
			[]*Report{well, nil, nil, forgotten}, CauseNoQuorum, true, "2 of 4 replicas answer",
		},
		"two amnesiacs": {
			[]*Report{well, well, forgotten, forgotten},
			CauseForgotten, true,
			"replica 2 may have forgotten what it signed (its journal is gone) and asks the others: 1 of 2 that remember everything have answered, none has come from replicas 1, 2",
		},
		"clocks apart": {
			[]*Report{ahead, well, ahead, ahead}, CauseClocksApart, true, "the clock of replica 1, the primary, is 4s further ahead of that of replicas 0, 2, 3",
		},
		"a key in use twice": {
			[]*Report{waiting(func(r *Report, _ *Waits) { r.Twice = []int{3} }), well, well, well}, CauseKeyTwice, false, "two processes run under the key of replica 3, as replica 0 sees",
		},
		"a link that one side denies": {
			[]*Report{waiting(func(r *Report, _ *Waits) { r.Connected = []int{2, 3} }), well, well, well}, CausePartition, false, "replicas 0, 2, 3 | replica 1",
		},
		"refused messages": {
			[]*Report{waiting(func(r *Report, _ *Waits) { r.Refusals = []Refusal{{2, "signature", 300}} }), well, well, well},
			CauseRefusing, false,
			"replica 0 has refused 300 messages of replica 2: signature",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for len(c.reports) < 4 {
				c.reports = append(c.reports, well)
			}
			live := judged(t, c.reports...)
			data, err := json.Marshal(live)
			if err != nil {
				t.Fatal(err)
			}
			saved := new(Status)
			if err := json.Unmarshal(data, saved); err != nil {
				t.Fatal(err)
			}
			for how, s := range map[string]*Status{"live": live, "saved": saved} {
				causes := s.Why()
				if len(causes) == 0 {
					t.Fatalf("%s: no cause", how)
				}
				if first := causes[0]; first.Code != c.code || first.Stops != c.stops || !strings.Contains(first.Text, c.text) {
					t.Errorf("%s: %s, stops %t, %q; want %s, %t, %q; all: %+v", how, first.Code, first.Stops, first.Text, c.code, c.stops, c.text, causes)
				}
			}
		})
	}
	if causes := judged(t, well, well, well, well).Why(); len(causes) > 0 {
		t.Errorf("nothing is wrong, and why says %+v", causes)
	}
}

func TestWhy_TellsOfTheWrongClusterFile(t *testing.T) {
	var answers []Answer
	for i := range 4 {
		answers = append(answers, Answer{Replica: i, Err: errors.New("replica has another cluster file (greeting): give it and this end the same one")})
	}
	causes := Judge(Cluster{Quorum: 3}, answers).Why()
	if len(causes) != 1 || causes[0].Code != CauseOtherCluster || !strings.Contains(causes[0].Text, "replicas 0, 1, 2, 3 have another cluster file") {
		t.Errorf("%+v", causes)
	}
}
