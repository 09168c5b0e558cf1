package replica

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tagma/pbft/amnesia"
	"tagma/pbft/wire"
)

// atEveryCall runs a process once for each of its calls that change something, and stops it at that call. Either its
// machine loses power, or only the process is killed.
func atEveryCall(t *testing.T, lay func(r *rig), run func(r *rig), after func(t *testing.T, r *rig)) {
	t.Helper()
	for _, power := range []bool{false, true} {
		for at := 1; ; at++ {
			if at > 500 {
				t.Fatal("the machine never comes to the end")
			}
			r := newRig(t)
			lay(r)
			r.machine.sync()
			r.machine.calls, r.machine.stopAt = 0, at
			run(r)
			over := r.machine.calls < at
			r.stop(power)
			t.Run(fmt.Sprintf("call %d, power %v", at, power), func(t *testing.T) { r.t = t; after(t, r) })
			if over {
				break
			}
		}
	}
}

// D8.2: a first start may be cut off at any call. The next start is a first start again, or an ordinary start in the
// life that the journal names. If a vote was sent, that journal contains it.
func TestD8_2_AFirstStartMayEndAnywhere(t *testing.T) {
	var left wire.Seq // votes that were durable
	run := func(r *rig) {
		left = 0
		d, err := r.start()
		for seq := wire.Seq(1); err == nil && seq <= 3; seq++ {
			if err = r.vote(d, seq); err == nil {
				left = seq
				if r.text != wire.Log(d.Replica.Anchor()).Life().String() {
					r.t.Error("a vote was durable before the life was written beside the key")
				}
			}
		}
	}
	atEveryCall(t, func(*rig) {}, run, func(t *testing.T, r *rig) {
		d := r.mustStart()
		if d.First && left > 0 {
			t.Fatalf("a first start after votes up to %d left", left)
		}
		for seq := left; seq > 0; seq-- {
			if !holdsVote(d.Log, seq) {
				t.Errorf("the vote for %d left and is not in the journal", seq)
			}
		}
		if err := r.vote(d, 4); err != nil {
			t.Fatal(err)
		}
		if life := wire.Log(d.Replica.Anchor()).Life(); r.text != life.String() {
			t.Errorf("the file says %q, the replica votes in life %v", r.text, life)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		text := r.text
		if d := r.mustStart(); d.First || !holdsVote(d.Log, 4) || r.text != text {
			t.Error("the start after that is not an ordinary one in the same life")
		}
	})
}

func holdsVote(log []wire.Record, seq wire.Seq) bool {
	for _, rec := range log {
		if sent, is := rec.(*wire.Sent); is {
			if m, is := sent.Msg.(*wire.Prepare); is && m.Seq == seq {
				return true
			}
		}
	}
	return false
}

// D8.2: if a first start cannot write its life beside the key, it returns an error and releases the lock on the journal.
func TestD8_2_AFirstStartThatCannotWriteItsLifeGivesTheJournalBack(t *testing.T) {
	r := newRig(t)
	d := r.mustStart()
	home := r.home()
	calls := 0
	home.Life = failingLife{func() error { calls++; return errCrashed }}
	if err := (&Disk{Votes: d.Votes}).openWithout(home, mark{unborn: true}); err != nil {
		t.Fatal(err)
	}
	if err := r.vote(d, 1); !errors.Is(err, errCrashed) || calls != 1 {
		t.Errorf("the vote: %v after %d writes", err, calls)
	}
	if len(r.machine.locked) > 0 {
		t.Error("the journal stays locked")
	}
}

type failingLife struct{ write func() error }

func (failingLife) Read() (string, error) { return Unborn, nil }
func (f failingLife) Write(string) error  { return f.write() }

// D8.3: a journal of the first format is given a life exactly once, wherever the start that does so is cut off. If an
// older copy of the journal is put back later, the start notices that.
func TestD8_3_AJournalOfTheFirstFormatIsAdoptedOnce(t *testing.T) {
	for _, text := range []string{"", Unborn} {
		var copied map[string]*inode
		var named string
		lay := func(r *rig) {
			r.lay("first format", "at the mark")
			r.text = text
			copied = r.machine.copy("data/journal")
		}
		run := func(r *rig) {
			_, _ = r.start()
			named, _ = strings.CutPrefix(r.text, adopting)
		}
		atEveryCall(t, lay, run, func(t *testing.T, r *rig) {
			d := r.mustStart()
			if named != text && r.text != named {
				t.Errorf("the file said %q and says %q: a second life", named, r.text)
			}
			if life := r.reread(); r.text != life.String() || d.Applied.Seq != 8 {
				t.Errorf("the file says %q, the journal %v; goes on from %d", r.text, life, d.Applied.Seq)
			}
			r.machine.put("data/journal", copied)
			if _, err := r.start(); !errors.As(err, new(*Amnesia)) || !strings.Contains(err.Error(), "an old copy") {
				t.Errorf("an older copy put back: %v, want an amnesia", err)
			}
		})
	}
}

// recovered holds the answers of the others.
func recovered(stable wire.Seq) amnesia.Recovery {
	rec := amnesia.Recovery{Until: 20, View: 1}
	if stable > 0 {
		rec.Stable = cert(stable, wire.Digest{9})
	}
	return rec
}

// D8.6: the beginning of a new life may be cut off at any call. The next start then asks the others again, or continues
// in the new life without voting. Another call of Begin completes the work, and one old journal is kept.
func TestD8_6_ANewLifeMayBeCutOffAnywhere(t *testing.T) {
	for _, found := range []string{"none", "M", "rotten", "gap"} {
		var err error
		lay := func(r *rig) {
			r.lay(found, "at the mark")
			r.text = lifeL.String()
		}
		run := func(r *rig) { err = Begin(r.home(), recovered(12)) }
		atEveryCall(t, lay, run, func(t *testing.T, r *rig) {
			_, again := r.start()
			if again != nil && !errors.As(again, new(*Amnesia)) || again != nil && err == nil {
				t.Fatalf("%s: started with %v, the new life with %v", found, again, err)
			}
			if again != nil && r.text != lifeL.String() {
				t.Error("the file names a life that no journal has: the old disk could not come back")
			}
			if again != nil {
				if err := Begin(r.home(), recovered(12)); err != nil {
					t.Fatal(err)
				}
				r.mustStart()
			}
			r.mustBeSilent()
			dirs, _ := r.machine.ReadDir("data")
			if len(dirs) > 2 {
				t.Errorf("%v is kept: more than one journal aside", dirs)
			}
		})
	}
}

// mustBeSilent checks D8.6 and D8.7 for the started replica: its log and its anchor must say until when it does not
// vote.
func (r *rig) mustBeSilent() {
	r.t.Helper()
	for _, log := range [][]wire.Record{r.booted.Log, r.booted.Replica.Anchor()} {
		rec, is := log[1].(*wire.Recovering)
		if !is || rec.Until != 20 || r.text != rec.Life.String() || wire.Log(log).Life() != rec.Life {
			r.t.Errorf("begins with %+v beside the life %q", log[1], r.text)
		}
	}
}

// D8.6: the old journal is kept aside unchanged. The beginning of a second life moves the journal of the first life
// there instead, so disk space is bounded.
func TestD8_6_TheOldJournalIsKeptAside(t *testing.T) {
	r := newRig(t)
	r.lay("M", "none")
	r.text = lifeL.String()
	for range 3 {
		old := r.machine.copy("data/journal")
		if err := Begin(r.home(), recovered(12)); err != nil {
			t.Fatal(err)
		}
		aside := r.machine.copy("data/journal.aside")
		if len(aside) != len(old) {
			t.Errorf("%d names aside of %d", len(aside), len(old))
		}
		for path, n := range old {
			kept := aside[strings.Replace(path, "journal", "journal.aside", 1)]
			if kept == nil || string(kept.data) != string(n.data) {
				t.Errorf("%s is not kept", path)
			}
		}
		r.mustStart()
		r.mustBeSilent()
		if err := r.booted.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if dirs, _ := r.machine.ReadDir("data"); len(dirs) != 2 {
		t.Errorf("data holds %v", dirs)
	}
}

// D8.6, X5: a store is kept unless it is damaged or holds more than the newest checkpoint that the others showed.
func TestD8_6_AStoreIsKeptUnlessItIsAhead(t *testing.T) {
	for _, c := range []struct {
		store  string
		stable wire.Seq
		aside  int
	}{
		{"at the mark", 8, 0},
		{"at the mark", 12, 0},
		{"at the mark", 4, 1},
		{"at the mark", 0, 1},
		{"ahead", 8, 1},
		{"ahead", 12, 0},
		{"damaged", 12, 1},
		{"none", 12, 0},
		{"none", 0, 0},
	} {
		r := newRig(t)
		r.lay("rotten", c.store)
		r.text = lifeL.String()
		if err := Begin(r.home(), recovered(c.stable)); err != nil {
			t.Fatal(err)
		}
		if r.aside != c.aside {
			t.Errorf("store %s, newest checkpoint %d: %d stores aside, want %d", c.store, c.stable, r.aside, c.aside)
		}
		r.mustStart()
		r.mustBeSilent()
	}
}
