package replica

import (
	"testing"
	"time"

	"tagma/pbft"
	"tagma/pbft/wire"
)

func TestE1_TwinsAsPrimaryAreReplacedAndConvicted(t *testing.T) {
	for _, links := range []string{"", ",first=1+2,second=3", ",first=1+2,second=2+3", ",first=1,second=2+3"} {
		t.Run("twins"+links, func(t *testing.T) {
			tr := begin(t, 0, "twins"+links)
			ids := tr.load(1, 400*time.Millisecond)
			told := map[wire.Digest]bool{}
			for _, digests := range tr.lies(0, wire.TypePrePrepare, 0, 1) {
				for _, d := range digests {
					told[d] = true
				}
			}
			if len(told) != 2 {
				t.Errorf("there were %d proposals for one place, not 2", len(told))
			}
			ids = append(ids, tr.load(12, 200*time.Millisecond)...)
			tr.mustVerify()
			tr.mustMask(ids...)
			tr.mustAnswer(ids...)
			tr.mustEnter(1)
			tr.mustConvict(0)
		})
	}
}

func TestTwins_AsBackupsAreMaskedWithoutAViewChange(t *testing.T) {
	tr := begin(t, 2, "twins")
	ids := tr.load(13, 200*time.Millisecond)
	by := map[wire.ReplicaID]int{}
	for _, p := range tr.sent {
		if p.from == 2 && wire.TypeOf(p.msg) == wire.TypeStatus {
			by[p.to]++
		}
	}
	if by[0] == 0 || by[3] == 0 {
		t.Errorf("one of them never spoke: %v", by)
	}
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustAnswer(ids...)
	tr.mustEnter()
}

// The twins begin in the middle of a run. The second one knows everything that the first one did until then.
func TestTwins_ABirthInTheMiddleOfARun(t *testing.T) {
	tr := begin(t, 0, "twins", Options{When: Between(time.Second, 2*time.Second)})
	ids := tr.load(9, 100*time.Millisecond)
	tr.mustMask(ids...)
	tr.mustEnter()
	tr.mustConvict()
	ids = append(ids, tr.load(9, 300*time.Millisecond)...)
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustEnter(1)
	tr.mustConvict(0)
	if tr.nodes[0].root != tr.nodes[1].root {
		t.Error("the first one did not come back")
	}
}

// After a restart the journal may begin far above the initial state, and the attacker does not know the digest of the
// state at its beginning.
func TestTwins_ABirthAfterARestart(t *testing.T) {
	tr := begin(t, 0, "crash,from_seq=1000")
	ids := tr.load(40, 30*time.Millisecond)
	m := tr.nodes[0]
	at := m.replica.Inspect()
	if at.Stable <= 3*m.cfg.LogWindow {
		t.Fatalf("h is %d: the initial state is not far enough below", at.Stable)
	}
	core, err := pbft.New(m.cfg, m.replica.Anchor(), pbft.Applied{Seq: at.Executed, Root: m.root})
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse("twins")
	if err != nil {
		t.Fatal(err)
	}
	tr.submitted = 40
	m.replica = core
	if m.actor, err = New(c, m.cfg, core, signWith(m.cfg.Members[0])); err != nil {
		t.Fatal(err)
	}
	tr.pass(20 * time.Millisecond)
	if m.actor.(attacker).hooks.(*pair).second != nil {
		t.Fatal("it was born out of nothing")
	}
	ids = append(ids, tr.load(9, 300*time.Millisecond)...)
	if m.actor.(attacker).hooks.(*pair).second == nil {
		t.Error("it never was born")
	}
	tr.mustVerify()
	tr.mustMask(ids...)
	tr.mustEnter(1)
	tr.mustConvict(0)
}
