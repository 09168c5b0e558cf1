package replica

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// newAsking returns a replica that has lost its journal, and records what it writes.
func newAsking(r *rig) *Asking {
	r.t.Helper()
	_, err := r.start()
	var lost *Amnesia
	if !errors.As(err, &lost) {
		r.t.Fatalf("started with %v, want an amnesia", err)
	}
	r.machine.calls = 0
	return NewAsking(r.home(), lost.Why)
}

// answered makes a replica answer the question that was last sent.
func (r *rig) answered(a *Asking, by wire.ReplicaID, whole bool, stable wire.Seq) {
	r.t.Helper()
	r.chance.Uint64()
	var nonce uint64
	for _, e := range a.Step(port.Tick{Mono: time.Duration(len(r.lives)+1) * time.Minute}) {
		if send, is := e.(port.Send); is {
			nonce = send.Msg.(*wire.Held).Nonce
		}
	}
	r.lives = append(r.lives, "asked")
	m := &wire.HeldBy{Nonce: nonce, Of: r.cfg.Self, Whole: whole}
	if stable > 0 {
		m.Stable = cert(stable, wire.Digest{9})
	}
	a.Step(port.Received{From: port.Source{Replica: by}, Msg: wire.Own(m)})
}

// lost is a home whose journal is gone.
func lost(t *testing.T) *rig {
	r := newRig(t)
	r.text = lifeL.String()
	return r
}

// D8.6: a new life needs answers of n−f replicas that lost nothing. The replica's own answer does not count, nor do
// those of replicas that lost data, too.
func TestD8_6_ANewLifeTakesNMinusFWholeOthers(t *testing.T) {
	r := lost(t)
	a := newAsking(r)
	r.answered(a, 1, true, 8)
	r.answered(a, 1, true, 8)
	r.answered(a, 2, false, 0)
	r.answered(a, 3, true, 12)
	if rec, told := a.Recovery(); told {
		t.Fatalf("two whole others are enough: %+v", rec)
	}
	r.answered(a, 2, true, 8) // its disk was mounted
	rec, told := a.Recovery()
	if !told || rec.Stable.Seq != 12 || rec.Until != 12+testL {
		t.Errorf("three whole others told %+v, %v", rec, told)
	}
	if r.machine.calls > 0 || r.text != lifeL.String() {
		t.Error("a replica that asks has written")
	}
}

// D8.12: once a minute the replica reports which others have answered and which of them also lost data. If those are too
// many, it says what an operator can do.
func TestD8_12_ItSaysWhatItWaitsFor(t *testing.T) {
	r := lost(t)
	a := newAsking(r)
	says := func(want ...string) {
		t.Helper()
		text := a.Describe()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q does not say %q", text, w)
			}
		}
	}
	const mend = "only a restore as a new cluster helps"
	says("waits for 3 other replicas", "answered: none; lost data too: none; no answer: 1, 2, 3")
	r.answered(a, 1, true, 8)
	if says("answered: 1; lost data too: none; no answer: 2, 3"); strings.Contains(a.Describe(), mend) {
		t.Error("one lost disk of four is masked, and it says that it is not")
	}
	r.answered(a, 3, false, 0)
	says("answered: 1; lost data too: 3; no answer: 2", "mount their data disks", mend)

	var said []time.Duration
	for now := time.Duration(0); now < 150*time.Second; now += time.Second {
		if text, err := a.Waits(now); err != nil {
			t.Fatal(err)
		} else if text != "" {
			said = append(said, now)
		}
	}
	if len(said) != 3 || said[0] != 0 || said[1] < time.Minute || said[2] < 2*time.Minute {
		t.Errorf("said something at %v, want it once a minute", said)
	}
	if r.machine.calls > 0 {
		t.Error("a replica that waits has written")
	}
}

// waited checks once whether the wait is over.
func waited(a *Asking) error {
	_, err := a.Waits(a.said + 2*time.Minute)
	return err
}

// D8.12: the wait ends when there is a journal from which a start can continue, whatever the file beside the key
// contains.
func TestD8_12_TheWaitEndsWhenTheRightJournalIsBack(t *testing.T) {
	for _, c := range []struct {
		text, journal string
		back          bool
	}{
		{lifeL.String(), "L", true},
		{lifeL.String(), "M", false},
		{lifeL.String(), "first format", false},
		{lifeL.String(), "rotten", false},
		{lifeL.String(), "gap", false},
		{adopting + lifeL.String(), "L", true},
		{adopting + lifeL.String(), "first format", true},
		{adopting + lifeL.String(), "M", false},
		{"", "first format", true},
		{"", "L", false},
	} {
		r := newRig(t)
		r.text = c.text
		a := newAsking(r)
		if err := waited(a); err != nil {
			t.Fatalf("nothing is there: %v", err)
		}
		r.lay(c.journal, "none")
		if err := waited(a); errors.Is(err, ErrBack) != c.back {
			t.Errorf("life %q, journal %s: %v, want it to be back: %v", c.text, c.journal, err, c.back)
		}
		if r.machine.calls > 0 {
			t.Error("it wrote to what it looked at")
		}
		if _, err := r.start(); (err == nil) != c.back {
			t.Errorf("life %q, journal %s: the next start says %v", c.text, c.journal, err)
		}
	}
}

// D8.12: the wait also ends if the file beside the key is restored.
func TestD8_12_TheFileBesideTheKeyMayComeBack(t *testing.T) {
	r := newRig(t)
	r.lay("L", "at the mark")
	r.text = ""
	a := newAsking(r)
	r.text = lifeL.String()
	if err := waited(a); !errors.Is(err, ErrBack) {
		t.Errorf("the file is there again: %v", err)
	}
}

// D8.12: an intact journal that did not help at the last start does not end the wait. Otherwise the replica would start
// and wait alternately for ever.
func TestD8_12_AJournalThatDidNotHelpIsNotBack(t *testing.T) {
	r := newRig(t)
	r.lay("L", "ahead")
	r.text = lifeL.String()
	if err := waited(newAsking(r)); err != nil {
		t.Errorf("the journal that the store is ahead of: %v", err)
	}
	r = newRig(t)
	r.lay("L", "at the mark")
	r.text = lifeL.String()
	why := Proven("commit v3 s9 ab000000", 2)
	if err := waited(NewAsking(r.home(), why)); err != nil {
		t.Errorf("the journal that another replica showed to be old: %v", err)
	}
	for _, want := range []string{"replica 2", "commit v3 s9"} {
		if !strings.Contains(why, want) {
			t.Errorf("%q does not say %q", why, want)
		}
	}
}
