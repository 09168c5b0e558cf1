package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

func hasty(cfg *wire.Config) { cfg.Optimistic = true }

// marks returns the Early and Clean records among the effects, as the letters E and C.
func marks(effects []port.Effect) (text string) {
	for _, e := range all[port.Persist](effects) {
		switch e.Record.(type) {
		case *wire.Early:
			text += "E"
		case *wire.Clean:
			text += "C"
		}
	}
	return text
}

// D8.14: in an optimistic cluster, a start writes the record Early before its first vote, and writes it only once. In a
// pessimistic cluster it writes none.
func TestD8_14_TheFirstVoteIsMarked(t *testing.T) {
	for _, early := range []bool{false, true} {
		l := newLab(t, 4, 3, func(cfg *wire.Config) { cfg.Optimistic = early })
		want := ""
		if early {
			want = "E"
		}
		effects := l.tempt(0, 1)
		if got := marks(effects); got != want {
			t.Errorf("optimistic %t: the first vote writes %q, want %q", early, got, want)
		}
		if got := marks(l.tempt(0, 2)); got != "" {
			t.Errorf("optimistic %t: the second slot writes %q", early, got)
		}
		for _, e := range effects { // the record must come before the vote
			if b, is := e.(port.Broadcast); is && early {
				t.Errorf("%T comes before the mark", b.Msg)
			}
			if p, is := e.(port.Persist); is {
				if _, mark := p.Record.(*wire.Early); mark {
					break
				}
			}
		}
	}
}

// D8.14: if the last mark in the journal is Early, a start votes in no view until h is a window above the journal's h.
// If Clean follows Early, the start may vote at once, and writes Early again before its first vote.
func TestD8_14_AStartAfterAnUncleanStopIsSilentForAWindow(t *testing.T) {
	l := newLab(t, 4, 3, hasty)
	for s := wire.Seq(1); s <= 5; s++ {
		l.tempt(0, s)
	}
	l.stable(4)
	clean := l.step(port.Stop{})
	if marks(clean) != "C" {
		t.Fatalf("a clean stop writes %q", marks(clean))
	}
	log := append(recode(t, l.r.Anchor()), &wire.Early{})
	for _, stopped := range []bool{false, true} {
		again, want := log, l.cfg.LogWindow+4
		if stopped {
			again, want = append(log[:len(log):len(log)], &wire.Clean{}), 0
		}
		l.boot(Applied{Seq: 4}, false, again...)
		l.answeredBy(0, 1)
		if in := l.r.Inspect(); in.Silent == stopped || in.Unclean == stopped || in.Until != want {
			t.Fatalf("clean %t: silent %t until %d, want %d", stopped, in.Silent, in.Until, want)
		}
		effects := l.tempt(0, 6)
		if n := len(votes(effects)); (n > 0) != stopped {
			t.Errorf("clean %t: %d votes", stopped, n)
		}
		if stopped && marks(effects) != "E" {
			t.Errorf("the first vote after a clean start writes %q", marks(effects))
		}
	}
}

// D8.14: if a replica stops while it does not vote because of lost votes, the stop does not count as clean. So it must
// not vote after the next start either.
func TestD8_14_AStopInTheSilenceIsNotClean(t *testing.T) {
	l := newLab(t, 4, 3, hasty)
	l.boot(Applied{}, false, append(l.inView0(), &wire.Early{})...)
	if got := marks(l.step(port.Stop{})); got != "" {
		t.Errorf("before the others have answered a stop writes %q", got)
	}
	l.answeredBy(0, 1)
	if got := marks(l.step(port.Stop{})); got != "" {
		t.Errorf("in the silence a stop writes %q", got)
	}
	l.stable(l.cfg.LogWindow)
	if got := marks(l.step(port.Stop{})); got != "C" {
		t.Errorf("behind the silence a stop writes %q", got)
	}
}

// D8.14: every anchor contains the mark. If the cluster's setting is changed to pessimistic while the replica does not
// vote, it still writes Clean when it votes again.
func TestD8_14_TheMarkOutlivesTheSetting(t *testing.T) {
	l := newLab(t, 4, 3)
	l.boot(Applied{}, false, append(l.inView0(), &wire.Early{})...)
	l.answeredBy(0, 1)
	if in := l.r.Inspect(); !in.Unclean {
		t.Fatal("it takes the journal of an optimistic cluster for whole")
	}
	l.boot(Applied{}, false, recode(t, l.r.Anchor())...)
	l.answeredBy(0, 1)
	if in := l.r.Inspect(); !in.Unclean {
		t.Fatal("an anchor forgets the mark")
	}
	if got := marks(l.stable(l.cfg.LogWindow)); got != "C" {
		t.Errorf("the end of the silence writes %q", got)
	}
}

// D8.5, D8.14: an unclean stop can lose only votes for slots up to R. If the journal lacks any other statement, that
// proves that the disk was lost.
func TestD8_14_OnlySlotVotesUpToRMayBeMissing(t *testing.T) {
	for _, c := range []struct {
		name   string
		forgot bool
		said   func(l *lab) wire.Message
	}{
		{"prepare below R", false, func(l *lab) wire.Message { return l.prepare(0, l.cfg.LogWindow, wire.Digest{1}, 3) }},
		{"commit below R", false, func(l *lab) wire.Message { return l.commit(0, 3, wire.Digest{1}, 3) }},
		{"prepare above R", true, func(l *lab) wire.Message { return l.prepare(0, l.cfg.LogWindow+1, wire.Digest{1}, 3) }},
		{"checkpoint below R", true, func(l *lab) wire.Message { return l.checkpoint(4, stateAfter(4), 3) }},
		{"view change", true, func(l *lab) wire.Message { return l.viewChange(1, 3, wire.StableCert{}) }},
	} {
		l := newLab(t, 4, 3, hasty)
		l.boot(Applied{}, false, append(l.inView0(), &wire.Early{})...)
		if found := all[port.Forgot](l.from(2, l.answer(c.said(l)))); (len(found) > 0) != c.forgot {
			t.Errorf("%s: %d proofs of a lost disk", c.name, len(found))
		}
	}
}

// D8.14: if more than f replicas lost votes, the other replicas know that the cluster is halted.
func TestD8_14_ItKnowsWhenTooManyLostVotes(t *testing.T) {
	l := newLab(t, 4, 3, hasty)
	l.boot(Applied{}, false, append(l.inView0(), &wire.Early{})...)
	if in := l.r.Inspect(); in.Halted {
		t.Error("it says so before anybody has answered")
	}
	m := l.answer()
	m.Whole = false
	l.from(1, m)
	if in := l.r.Inspect(); !in.Halted || len(in.Lost) != 1 || in.Lost[0] != 1 {
		t.Errorf("halted %t, lost %v", in.Halted, in.Lost)
	}
	l.answeredBy(1)
	if in := l.r.Inspect(); in.Halted {
		t.Error("it still says so when the other one remembers everything again")
	}
}
