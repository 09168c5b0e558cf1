package operate

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tagma/client/status"
)

// judged is the verdict on a cluster that gives these reports; nil stands for no answer.
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

// in is the report of a replica that is well.
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
