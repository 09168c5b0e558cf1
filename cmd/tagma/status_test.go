package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"tagma/client"
	"tagma/internal/cluster"
	"tagma/internal/node"
)

// judged is the verdict on a cluster of four that gives these reports; nil stands for no answer.
func judged(t *testing.T, reports ...*node.Report) *clusterStatus {
	t.Helper()
	var answers []client.Answer
	for i, r := range reports {
		a := client.Answer{Replica: i, Err: errors.New("connection refused")}
		if r != nil {
			document, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			a.Document, a.Err = document, nil
		}
		answers = append(answers, a)
	}
	return judgeStatus(&cluster.File{}, 3, answers)
}

func in(view uint64, stable uint64, state string) *node.Report {
	return &node.Report{View: view, Active: true, StableCheckpoint: stable, StateDigest: state, Health: "ok"}
}

func TestStatus_AnyFReplicasMayBeWrongUnlessStatesDiffer(t *testing.T) {
	changing := in(6, 10, "aa")
	changing.Active = false
	for name, c := range map[string]struct {
		reports []*node.Report
		problem string
	}{
		"all equal":        {[]*node.Report{in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa")}, ""},
		"one down":         {[]*node.Report{nil, in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa")}, ""},
		"one behind":       {[]*node.Report{in(0, 5, "bb"), in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa")}, ""},
		"one changing":     {[]*node.Report{changing, in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa")}, ""},
		"two down":         {[]*node.Report{nil, nil, in(1, 10, "aa"), in(1, 10, "aa")}, "2 of 4 replicas answer"},
		"no view":          {[]*node.Report{in(1, 10, "aa"), in(1, 10, "aa"), in(2, 10, "aa"), changing}, "no view is active on 3"},
		"different states": {[]*node.Report{in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "aa"), in(1, 10, "bb")}, "0 and 3 name different states"},
	} {
		t.Run(name, func(t *testing.T) {
			s := judged(t, c.reports...)
			if s.Healthy != (c.problem == "") || !strings.Contains(s.Problem, c.problem) {
				t.Errorf("healthy %v, problem %q; want %q", s.Healthy, s.Problem, c.problem)
			}
		})
	}
}

func TestStatus_AReplicaCannotPlayWithTheTerminal(t *testing.T) {
	evil := in(1, 10, "aa\x1b[2J")
	evil.Health = "ok\x1b[31m\nreplica 9 is fine"
	evil.Convicted = []node.ConvictedEntry{{Replica: 1, Kind: "\x1b]0;title\a"}}
	var out bytes.Buffer
	if err := judged(t, evil, nil).print(&out, false); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\a") || lines(out.String()) != 3 {
		t.Errorf("the table lets a replica's bytes through: %q", out.String())
	}
}

func TestStatus_AnUnreadableReportIsNoAnswer(t *testing.T) {
	s := judgeStatus(&cluster.File{}, 1, []client.Answer{{Document: []byte("{")}})
	if s.Answered != 0 || s.Replicas[0].Reachable || !strings.Contains(s.Replicas[0].Error, "unreadable") {
		t.Errorf("%+v", s)
	}
}
