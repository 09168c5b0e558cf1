package byzantine

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
	for _, p := range tr.sent { // what it repeats on request is late as well
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

// What one request after the other hides, demand shows: the second of two at once waits longer than T.
func TestSlowPrimary_IsReplacedUnderLoadAndThenOrdersNoMore(t *testing.T) {
	tr := begin(t, 0, "slow-primary")
	var ids []wire.RequestID
	for n := range uint64(20) {
		ids = append(ids, tr.submit(n+1))
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

// statusOf is the wall clock that the liar last reported, less the true one.
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
