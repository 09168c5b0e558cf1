package status

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// judged returns the status of a cluster of four replicas with these reports; nil stands for no answer.
func judged(t *testing.T, reports ...*Report) *Status {
	t.Helper()
	var answers []Answer
	for i, r := range reports {
		a := Answer{Replica: i, Err: errors.New("connection refused")}
		if r != nil {
			document, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			a.Document, a.Err = document, nil
		}
		answers = append(answers, a)
	}
	return Judge(Cluster{Quorum: 3}, answers)
}

func in(view uint64, stable uint64, state string) *Report {
	return &Report{
		View: view, Active: true, StableCheckpoint: stable, StateDigest: state, Health: "ok", UptimeMillis: 2 * settling,
		Connected: []int{0, 1, 2, 3},
	}
}

// but returns the report of a healthy replica after one change.
func but(change func(*Report)) *Report {
	r := in(1, 10, "aa")
	change(r)
	return r
}

func TestStatus_TellsTheEdgeOfServiceAndItsEnd(t *testing.T) {
	well := in(1, 10, "aa")
	changing := but(func(r *Report) { r.View, r.Active, r.Health = 6, false, "changing views" })
	old := but(func(r *Report) { r.View = 0 })
	behind := but(func(r *Report) { r.StableCheckpoint, r.StateDigest, r.Health = 5, "bb", "catching up" })
	links := func(ids ...int) *Report { return but(func(r *Report) { r.Connected = ids }) }
	apart := func(ids ...int) *Report {
		return but(func(r *Report) { r.Connected, r.Health = ids, "too few replicas connected: 1 of the 2 needed" })
	}
	young := but(func(r *Report) { r.Connected, r.UptimeMillis = []int{1, 2}, 1000 })
	accuses := func(ids ...int) *Report {
		return but(func(r *Report) {
			for _, id := range ids {
				r.Convicted = append(r.Convicted, Conviction{Replica: id, Kind: "equivocation"})
			}
		})
	}
	split := but(func(r *Report) { r.Split, r.Health = 20, "replicas disagree on the state after 20" })
	unclean := but(func(r *Report) {
		r.Health, r.Recovery = "silent until checkpoint 20", &Recovery{Phase: PhaseSilent, Unclean: true}
	})
	twice := but(func(r *Report) { r.Twice = []int{3} })
	const edge = "edge, 0 more replicas may fail: "
	for name, c := range map[string]struct {
		reports []*Report
		problem string
		mayFail int
	}{
		"all equal":          {[]*Report{well, well, well, well}, "", 1},
		"one down":           {[]*Report{nil, well, well, well}, edge + "replica 0 does not answer", 0},
		"one behind":         {[]*Report{behind, well, well, well}, edge + "replica 0: catching up", 0},
		"one changing":       {[]*Report{changing, well, well, well}, edge + "replica 0: changing views", 0},
		"one in an old view": {[]*Report{old, well, well, well}, edge + "replica 0 is in view 0, and most are in view 1", 0},
		"proof against one":  {[]*Report{well, accuses(0), accuses(0), well}, edge + "replica 1 has proof against replica 0: equivocation", 0},
		"one accuses all":    {[]*Report{accuses(1, 2, 3), well, well, well}, edge + "replica 0 has proof", 0},
		"a key used twice":   {[]*Report{twice, twice, well, well}, edge + "replica 0 sees two processes under the key of replica 3", 0},
		"one cut off":        {[]*Report{links(1, 2), links(0, 2), links(0, 1), apart()}, edge + "replica 3: too few replicas", 0},
		"one link is cut":    {[]*Report{links(2, 3), links(2, 3), links(0, 1, 3), links(0, 1, 2)}, edge + "replicas 0 and 1 are not linked", 0},
		"one just started":   {[]*Report{well, well, well, young}, "", 1},
		"split in halves":    {[]*Report{apart(1), apart(0), apart(3), apart(2)}, "nothing gets done: fewer than 3 replicas", 0},
		"two behind":         {[]*Report{behind, behind, well, well}, "nothing gets done: fewer than 3 replicas", 0},
		"one unclean":        {[]*Report{unclean, well, well, well}, edge + "replica 0: silent until checkpoint 20", 0},
		"two unclean":        {[]*Report{unclean, well, unclean, well}, "power cut: not durable: replicas 0, 2 stopped before", 0},
		"two down":           {[]*Report{nil, nil, well, well}, "2 of 4 replicas answer", 0},
		"no view":            {[]*Report{well, well, in(2, 10, "aa"), changing}, "no view is active on 3", 0},
		"split checkpoint":   {[]*Report{well, split, well, well}, "replica 1: replicas disagree on the state after 20; 0 more", 0},
		"different states":   {[]*Report{well, well, well, in(1, 10, "bb")}, "0 and 3 name different states at checkpoint 10: one of them lies or is damaged; 0 more", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := judged(t, c.reports...)
			if s.Healthy != (c.problem == "") || !strings.Contains(s.Problem, c.problem) || s.MayFail != c.mayFail {
				t.Errorf("healthy %v, %d more, problem %q; want %d, %q", s.Healthy, s.MayFail, s.Problem, c.mayFail, c.problem)
			}
		})
	}
}

// If one of seven replicas is down, one more may fail, so the status does not warn that the next failure stops the
// cluster.
func TestStatus_OneOfSevenDownIsNoEdge(t *testing.T) {
	for down, want := range []struct {
		mayFail int
		healthy bool
	}{{2, true}, {1, true}, {0, false}, {0, false}} {
		var answers []Answer
		for i := range 7 {
			r := in(1, 10, "aa")
			r.Connected = []int{0, 1, 2, 3, 4, 5, 6}
			document, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			a := Answer{Replica: i, Document: document}
			if i < down {
				a = Answer{Replica: i, Err: errors.New("refused")}
			}
			answers = append(answers, a)
		}
		if s := Judge(Cluster{Quorum: 5}, answers); s.MayFail != want.mayFail || s.Healthy != want.healthy {
			t.Errorf("%d down: %d more, %q", down, s.MayFail, s.Problem)
		}
	}
}

func TestStatus_AnUnreadableReportIsNoAnswer(t *testing.T) {
	s := Judge(Cluster{Quorum: 1}, []Answer{{Document: []byte("{")}})
	if s.Answered != 0 || s.Replicas[0].Reachable || !strings.Contains(s.Replicas[0].Error, "unreadable") {
		t.Errorf("%+v", s)
	}
}

func TestUpgrade_SaysWhoWouldStop(t *testing.T) {
	runs := func(state, newest int) *Report {
		return but(func(r *Report) { r.StateVersion, r.OldestVersion, r.NewestVersion = state, 1, newest })
	}
	for name, c := range map[string]struct {
		s    *Status
		want Upgrade
	}{
		"all know it":          {judged(t, runs(1, 2), runs(1, 2), runs(1, 2), runs(1, 3)), Upgrade{State: 1, Known: true}},
		"two do not":           {judged(t, runs(1, 2), runs(1, 1), runs(1, 2), runs(1, 1)), Upgrade{State: 1, Known: true, Stops: []int{1, 3}}},
		"nobody does":          {judged(t, runs(1, 1), runs(1, 1), nil, runs(1, 1)), Upgrade{State: 1, Stops: []int{0, 1, 3}, Unknown: []int{2}}},
		"one has no state yet": {judged(t, runs(1, 2), runs(0, 0), runs(1, 2), runs(1, 2)), Upgrade{State: 1, Known: true, Unknown: []int{1}}},
		"a liar is ahead":      {judged(t, runs(9, 9), runs(1, 2), runs(1, 2), runs(1, 2)), Upgrade{State: 1, Known: true}},
		"one correct one is":   {judged(t, runs(2, 2), runs(2, 2), runs(1, 2), runs(1, 2)), Upgrade{State: 2, Known: true}},
		"one answers":          {judged(t, runs(1, 2), nil, nil, nil), Upgrade{Known: true, Unknown: []int{1, 2, 3}}},
	} {
		if got := c.s.Upgrade(2); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
