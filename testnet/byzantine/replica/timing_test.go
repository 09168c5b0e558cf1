package replica

import (
	"testing"
	"time"

	"tagma/pbft/wire"
)

func TestSlowBackup_5TLateIsNotWaitedFor(t *testing.T) {
	tr := begin(t, 3, "slow-backup")
	ids := tr.load(12, 500*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	if late := tr.latest(wire.TypePrepare); late < 4900*time.Millisecond {
		t.Errorf("its prepares came %v late", late)
	}
	tr.mustEnter()
}

func TestSlowPrimary_SendsOneRequestABatchJustBelowTheTimeout(t *testing.T) {
	tr := begin(t, 0, "slow-primary")
	ids := tr.load(3, 950*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
	last, seen := time.Duration(0), wire.Seq(0)
	for _, p := range tr.sent { // messages that the liar sends again on request are late, too
		m, ok := p.msg.(*wire.PrePrepare)
		if !ok || p.from != 0 || p.to != 1 || m.Seq <= seen {
			continue
		}
		if len(m.Body.Requests) != 1 || p.at-last < 900*time.Millisecond {
			t.Errorf("%v after the last one it sent a batch of %d", p.at-last, len(m.Body.Requests))
		}
		last, seen = p.at, m.Seq
	}
	if seen != 3 {
		t.Errorf("it sent %d batches", seen)
	}
}

// If requests come one after the other, nobody notices that the primary is slow. If two come at once, the second waits
// longer than T. They come from different clients, because a primary must order only one request at a time of a client
// that is not known to be light (T4).
func TestSlowPrimary_IsReplacedUnderLoadAndThenOrdersNoMore(t *testing.T) {
	tr := begin(t, 0, "slow-primary")
	var ids []wire.RequestID
	for n := range uint64(20) {
		ids = append(ids, tr.submitAs(int(n), n+1))
	}
	tr.pass(3 * time.Second)
	if sent, _ := tr.from(wire.TypePrePrepare); sent == 0 {
		t.Error("it never proposed")
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
	next := tr.submit(21)
	tr.pass(100 * time.Millisecond)
	tr.mustMask(next)
	if tr.nodes[0].root != tr.nodes[1].root {
		t.Error("the former primary does not follow")
	}
}

// skewOf returns the wall clock that the liar last reported, minus the true time.
func (tr *trial) skewOf(liar wire.ReplicaID) time.Duration {
	for i := len(tr.sent) - 1; i >= 0; i-- {
		if s, ok := tr.sent[i].msg.(*wire.Status); ok && tr.sent[i].from == liar {
			return time.Duration(s.Wall) - tr.sent[i].at
		}
	}
	return 0
}

func TestN1_AWrongClockOfABackupOrBehindDisturbsNobody(t *testing.T) {
	for choice, at := range map[string]int{"clock-skew": 2, "clock-skew,by=-1h": 0, "clock-skew,by=-20ms,every=1T": 3} {
		t.Run(choice, func(t *testing.T) {
			tr := begin(t, at, choice)
			ids := tr.load(9, 300*time.Millisecond)
			if tr.skewOf(wire.ReplicaID(at)) == 0 {
				t.Error("its clock was right")
			}
			tr.mustMask(ids...)
			tr.mustEnter()
		})
	}
}

func TestN1_APrimaryAnHourAheadIsReplaced(t *testing.T) {
	tr := begin(t, 0, "clock-skew")
	ids := tr.load(1, 3*time.Second)
	ids = append(ids, tr.load(5, 100*time.Millisecond)...)
	if sent, _ := tr.from(wire.TypePrePrepare); sent == 0 {
		t.Error("it never proposed")
	}
	tr.mustMask(ids...)
	tr.mustEnter(1)
}

func TestEarly_ASuspicionEachTimeoutMovesNobody(t *testing.T) {
	for _, liar := range []int{0, 3} {
		tr := begin(t, liar, "early")
		ids := tr.load(12, 500*time.Millisecond)
		if suspects, _ := tr.from(wire.TypeSuspect); suspects < 5*3 {
			t.Errorf("it sent %d suspicions in 6 timeouts", suspects)
		}
		tr.mustMask(ids...)
		tr.mustAnswer(ids...)
		tr.mustEnter()
	}
}

func TestEarly_ATimeAheadByTheToleranceIsAccepted(t *testing.T) {
	tr := begin(t, 0, "early,what=time")
	ids := tr.load(5, 200*time.Millisecond)
	ahead := time.Duration(0)
	for _, p := range tr.sent {
		if m, ok := p.msg.(*wire.PrePrepare); ok && m.Body != nil && len(m.Body.Requests) > 0 {
			ahead = max(ahead, time.Duration(m.Body.Time)-p.at)
		}
	}
	if tolerance := tr.nodes[0].cfg.ClockTolerance; ahead < tolerance/2 || ahead > tolerance {
		t.Errorf("it proposed a time %v ahead, where %v are tolerated", ahead, tolerance)
	}
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}

func TestC4_EarlyRepliesComeBeforeTheCommitAndDeceiveNobody(t *testing.T) {
	for _, liar := range []int{0, 3} {
		tr := begin(t, liar, "early,what=reply")
		tr.lose = func(p packet) bool { return wire.TypeOf(p.msg) == wire.TypeCommit }
		id := tr.submit(1)
		tr.pass(100 * time.Millisecond)
		for i, m := range tr.nodes {
			if r := m.replies[id]; (r != nil) != (i == liar) || m.done[id] {
				t.Errorf("liar %d: replica %d answered %+v before the commit", liar, i, r)
			}
		}
		tr.lose = nil
		tr.pass(500 * time.Millisecond)
		tr.submitted = 1
		ids := append(tr.load(5, 200*time.Millisecond), id)
		tr.mustMask(ids...)
		tr.mustAnswer(ids...)
		tr.mustEnter()
	}
}
