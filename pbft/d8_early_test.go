package pbft

import (
	"testing"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

func hasty(cfg *wire.Config) { cfg.Optimistic = true }

// marks are the Early and Clean records among effects, as E and C.
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

// D8.14: before the first vote of a start the journal says that votes may leave ahead of it, once; a vote of no other
// kind of cluster does.
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
		for _, e := range effects { // the mark is in front of the vote
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

// D8.14: a start whose journal ends with Early casts no vote, in any view, until h is a window above the journal's h. After
// Early and then Clean a start may vote at once, and writes Early again before its first vote.
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

// D8.14: while a replica is silent for lost votes, no stop counts as clean: after the next start it must not vote either.
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

// D8.14: the mark is in every anchor, and the silence outlives the setting: a cluster that is pessimistic now ends it
// with Clean.
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

// D8.5, D8.14: slot votes up to R that the journal lacks are what an unclean stop loses; all else is proof of a lost disk.
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

// D8.14: if more than f replicas lost votes, a replica knows that the cluster is halted.
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
