package scenario

import (
	"slices"
	"testing"

	"tagma/pbft/wire"
)

func TestParse_DataAreLostInManyWays(t *testing.T) {
	s := parse(t, "name = \"x\"\nabsent = [3]\n[[event]]\nat = \"1s\"\ndo = \"keep\"\ntargets = [2]\n"+
		"[[event]]\nat = \"2s\"\ndo = \"rollback\"\ntargets = [2]\nfor = \"1s\"\n[[event]]\nat = \"2s\"\ndo = \"wipe\"\ntargets = [1]\n"+
		"[[event]]\nat = \"3s\"\ndo = \"start\"\ntargets = [3]\n[expect]\nserves = false\n")
	if !slices.Equal(s.Absent, []wire.ReplicaID{3}) || !s.Expect.Halts() || len(s.Events) != 5 {
		t.Errorf("%+v", s)
	}
	keep, rollback, back, wipe, start := &s.Events[0], &s.Events[1], &s.Events[2], &s.Events[3], &s.Events[4]
	if !keep.Calm() || !rollback.Fault() || back.Do != Restart || !wipe.Fault() || start.Fault() {
		t.Errorf("%+v", s.Events)
	}
	if !s.RolledBack(2) || s.RolledBack(1) || !s.Restarts(rollback) || s.Restarts(wipe) || keep.Forgets() || !wipe.Forgets() {
		t.Errorf("%+v", s.Events)
	}
	// A replica that was wiped knows that it has forgotten, and counts as correct like one that crashed (D8.1).
	if got := s.Faulty(); !slices.Equal(got, []wire.ReplicaID{2}) {
		t.Errorf("%v are faulty", got)
	}
}
