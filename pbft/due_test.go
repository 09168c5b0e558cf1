package pbft

import (
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// waitDue lets time pass in one tick at which the application waits for a batch at a time after the lab's beginning.
func (l *lab) waitDue(d, at time.Duration) []port.Effect {
	l.now += d
	return l.step(port.Tick{Mono: l.now, Wall: int64(l.now) + labEpoch, Due: int64(at) + labEpoch})
}

const labEpoch = 1_700_000_000_000_000_000

// proposals lists the bodies that the replica proposed.
func proposals(effects []port.Effect) (all []*wire.Body) {
	for _, e := range effects {
		if b, is := e.(port.Broadcast); is {
			if p, is := b.Msg.(*wire.PrePrepare); is {
				all = append(all, p.Body)
			}
		}
	}
	return all
}

func TestT5_ThePrimaryOrdersOneBatchOnceTheTimeHasCome(t *testing.T) {
	l := newLab(t, 4, 0)
	at := l.now + time.Second
	if got := proposals(l.waitDue(500*time.Millisecond, at)); len(got) > 0 {
		t.Fatalf("proposed %v before the time", got)
	}
	got := proposals(l.waitDue(500*time.Millisecond, at))
	if len(got) != 1 || len(got[0].Requests) != 0 || got[0].Time < int64(at)+labEpoch || got[0].IsNull() {
		t.Fatalf("proposed %v, want one batch without requests at the time", got)
	}
	if again := proposals(l.waitDue(50*time.Millisecond, at)); len(again) > 0 {
		t.Fatalf("proposed %v while the batch is under way", again)
	}
	for id := wire.ReplicaID(1); id < 4; id++ {
		l.from(id, l.prepare(0, 1, got[0].Digest(), id))
	}
	var after []port.Effect
	for id := wire.ReplicaID(1); id < 4; id++ {
		after = append(after, l.from(id, l.commit(0, 1, got[0].Digest(), id))...)
	}
	if l.r.executed != 1 {
		t.Fatalf("executed %d", l.r.executed)
	}
	if again := proposals(after); len(again) > 0 {
		t.Fatalf("proposed %v before it is known what the application waits for next", again)
	}
	if again := proposals(l.wait(50 * time.Millisecond)); len(again) > 0 {
		t.Fatalf("proposed %v though the application waits for nothing", again)
	}
	if again := proposals(l.waitDue(50*time.Millisecond, at)); len(again) != 1 {
		t.Fatalf("proposed %v, want one more batch for what is still due", again)
	}
}

func TestT5_ARequestTakesThePlaceOfTheBatch(t *testing.T) {
	l := newLab(t, 4, 0)
	at := l.now + 10*time.Millisecond
	l.fromClient(l.request(1))
	if got := proposals(l.waitDue(20*time.Millisecond, at)); len(got) > 0 {
		t.Fatalf("proposed %v beside the batch of a request", got)
	}
}

func TestT5_ABackupAcceptsTheBatchAndSuspectsAPrimaryThatOwesIt(t *testing.T) {
	suspects := func(effects []port.Effect) bool {
		for _, e := range effects {
			if b, is := e.(port.Broadcast); is {
				if _, is := b.Msg.(*wire.Suspect); is {
					return true
				}
			}
		}
		return false
	}
	for name, crash := range map[string]bool{"byzantine": false, "crash": true} {
		l := newLab(t, 5, 1, func(cfg *wire.Config) { cfg.Crash = crash })
		at, timeout := l.now, l.cfg.ViewTimeout
		pass := func(d time.Duration, at time.Duration) bool {
			l.from(0, l.signBy(&wire.Heartbeat{View: 0}, 0))
			for id := range wire.ReplicaID(5) {
				if id != l.cfg.Self {
					l.from(id, l.signBy(&wire.Status{Active: true}, id))
				}
			}
			return suspects(l.waitDue(d, at))
		}
		if pass(timeout/2, at) || pass(timeout/2-time.Millisecond, at) {
			t.Fatalf("%s: suspected before a timeout", name)
		}
		body := &wire.Body{Time: int64(l.now) + labEpoch}
		l.commitAll(0, 1, body)
		if l.r.executed != 1 {
			t.Fatalf("%s: the batch was not executed", name)
		}
		next := l.now + timeout
		for l.now < next+timeout-timeout/4 {
			if pass(timeout/8, next) {
				t.Fatalf("%s: suspected %v after the next time", name, l.now-next)
			}
		}
		if got := pass(timeout/2, next); got == crash {
			t.Fatalf("%s: suspected is %t more than a timeout after the time", name, got)
		}
	}
}
