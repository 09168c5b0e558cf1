package operate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tagma/client/status"
)

// judged is the status of a cluster whose replicas send these reports; nil stands for no answer.
func judged(t *testing.T, reports ...*status.Report) *Status {
	t.Helper()
	var answers []status.Answer
	for i, r := range reports {
		a := status.Answer{Replica: i, Err: errors.New("connection refused")}
		if r != nil {
			document, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			a.Document, a.Err = document, nil
		}
		answers = append(answers, a)
	}
	return printable(status.Judge(status.Cluster{Quorum: 3}, answers))
}

// in is the report of a healthy replica.
func in(view uint64, stable uint64, state string) *status.Report {
	return &status.Report{
		View: view, Active: true, StableCheckpoint: stable, StateDigest: state, Health: status.Healthy, UptimeMillis: 20_000,
		Connected: []int{0, 1, 2, 3},
	}
}

func TestStatus_AReplicaCannotPlayWithTheTerminal(t *testing.T) {
	evil := in(1, 10, "aa\x1b[2J")
	evil.Health = "ok\x1b[31m\nreplica 9 is fine"
	evil.Convicted = []status.Conviction{{Replica: 1, Kind: "\x1b]0;title\a"}}
	s := judged(t, evil, nil, in(1, 10, "bb"), in(1, 10, "bb"))
	var out bytes.Buffer
	if err := s.print(&out, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a") || strings.Count(out.String(), "\n") != 5 {
		t.Errorf("the table lets a replica's bytes through: %q", out.String())
	}
	if s := judged(t, evil, nil, in(1, 10, "aa"), in(1, 10, "aa")); strings.ContainsAny(s.Problem, "\x1b\a\n") {
		t.Errorf("the problem lets a replica's bytes through: %q", s.Problem)
	}
}

func TestStatus_SaysWhichVersionsAreKnownAndWhoWouldStop(t *testing.T) {
	runs := func(state, oldest, newest int) *status.Report {
		r := in(1, 10, "aa")
		r.StateVersion, r.OldestVersion, r.NewestVersion = state, oldest, newest
		return r
	}
	newest := judged(t, runs(2, 1, 2), runs(2, 1, 2), runs(2, 1, 2), runs(1, 1, 2))
	if got := newest.versions(); got != "" {
		t.Errorf("all programs and the state are at the newest version: %q", got)
	}
	for want, s := range map[string]*Status{
		"": judged(t, runs(1, 1, 1), runs(1, 1, 1), runs(1, 1, 1), nil), // an application without versions
		"the state is at 1; replicas 0, 2 know 1 to 2; replica 1 knows 1 alone and would stop at an upgrade to 2": judged(t, runs(1, 1, 2), runs(1, 1, 1), runs(1, 1, 2), nil),
		"the state is at 2; replicas 0, 1, 3 know 1 to 2; replica 2 knows 2 alone":                                judged(t, runs(2, 1, 2), runs(2, 1, 2), runs(2, 2, 2), runs(1, 1, 2)),
		"the state is at 2; replicas 0, 1, 3 know 2 alone and would stop at an upgrade to 3; replica 2 knows 2 to 3": judged(t,
			runs(2, 2, 2), runs(2, 2, 2), runs(2, 2, 3), runs(2, 2, 2)),
	} {
		var out bytes.Buffer
		if err := s.print(&out, false); err != nil {
			t.Fatal(err)
		}
		if _, line, _ := strings.Cut(out.String(), "version: "); strings.TrimSuffix(line, "\n") != want {
			t.Errorf("%q, want %q", line, want)
		}
	}
}

func TestUpgrade_IsNotSentWhereReplicasWouldStop(t *testing.T) {
	runs := func(newest int) *status.Report {
		r := in(1, 10, "aa")
		r.StateVersion, r.OldestVersion, r.NewestVersion = 1, 1, newest
		return r
	}
	for _, c := range []struct {
		s      *Status
		anyway bool
		want   string // text of the error; empty: the upgrade is sent
	}{
		{judged(t, runs(2), runs(2), runs(2), runs(2)), false, ""},
		{judged(t, runs(2), runs(1), runs(2), runs(1)), false, "replicas 1, 3 would stop"},
		{judged(t, runs(2), runs(1), runs(2), runs(1)), true, ""},
		{judged(t, runs(2), nil, runs(2), runs(2)), false, "replica 1 did not say"},
		{judged(t, runs(2), nil, runs(2), runs(2)), true, ""},
		{judged(t, runs(1), runs(1), nil, runs(1)), true, "no replica that answers"},
	} {
		err := mayUpgrade(c.s.Status, 2, c.anyway)
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
