package driver

import (
	"fmt"
	"testing"

	"tagma/internal/alone"
	"tagma/pbft/wire"
)

// story is a run with every kind of vote: the normal case, checkpoints, and a view change.
func (l *lab) story() {
	l.t.Helper()
	for range 6 {
		l.submit()
		l.settle()
	}
	l.cut[0] = true
	for range 3 {
		l.submit()
	}
	l.settle()
	l.cut[0] = false
	for range 7 {
		l.submit()
		l.settle()
	}
	l.until("all replicas agree", func() bool {
		for _, p := range l.processes {
			if p.driver == nil || p.state.seq < 12 || p.state.root != l.processes[0].state.root {
				return false
			}
		}
		return true
	})
	if l.lent > 0 {
		l.t.Fatalf("D5: %d times a replica could not go on from its own disk", l.lent)
	}
}

// D7: a replica may crash before a turn is durable, after that, or while the turn's effects are performed, whatever the
// turn contains. After a restart it contradicts nothing that it has ever sent (D3, D7), sends the same bytes again, and
// the cluster continues.
func TestD7_AfterACrashAtAnyPointNoVoteIsContradicted(t *testing.T) {
	alone.Test(t)
	struck := map[string]bool{}
	repeated := 0
	for _, b := range []blow{diesBefore, diesAfter, diesAmid} {
		for victim := range 4 {
			for k, fired := 1, true; fired; k++ {
				fired = false
				l := newLab(t, 4000)
				l.processes[victim].tape.strike = func(n int, turn []wire.Record) blow {
					if n != k || l.processes[victim].ups > 1 {
						return none
					}
					fired = true
					for _, r := range turn {
						if s, ok := r.(*wire.Sent); ok {
							struck[fmt.Sprintf("%v %d", wire.TypeOf(s.Msg), b)] = true
						}
					}
					return b
				}
				l.story()
				repeated += l.ledger.again
				if fired && l.processes[victim].ups != 2 {
					t.Fatalf("replica %d never came back", victim)
				}
			}
		}
	}
	for _, kind := range []wire.Type{
		wire.TypePrePrepare, wire.TypePrepare, wire.TypeCommit, wire.TypeCheckpoint, wire.TypeViewChange, wire.TypeNewView,
	} {
		for _, b := range []blow{diesBefore, diesAfter, diesAmid} {
			if !struck[fmt.Sprintf("%v %d", kind, b)] {
				t.Errorf("no crash of kind %d came at a %v", b, kind)
			}
		}
	}
	if repeated == 0 {
		t.Error("no vote was ever sent again")
	}
}

// D6: if the journal returns an error, the process ends and nothing of the turn is sent or executed, whether the turn
// reached the disk or not.
func TestD6_AFailedAppendIsTheLastThingAReplicaDoes(t *testing.T) {
	alone.Test(t)
	for _, b := range []blow{fails, failsBehind} {
		for victim := range 2 {
			for k, fired := 1, true; fired; k++ {
				fired = false
				l := newLab(t, 0)
				l.processes[victim].tape.strike = func(n int, _ []wire.Record) blow {
					if n != k {
						return none
					}
					fired = true
					return b
				}
				l.story() // lab.failed checks what the replica did
				if fired && l.processes[victim].ups != 2 {
					t.Fatalf("replica %d did not stop at append %d", victim, k)
				}
			}
		}
	}
}
