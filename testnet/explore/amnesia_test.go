package explore

import (
	"slices"
	"strings"
	"testing"

	"tagma/pbft/wire"
)

// forgetful are the bounds of a search in which one replica forgets once. The search does not check liveness.
func forgetful(views, byzantine, amnesiac int) Options {
	o := Defaults()
	o.Views, o.Byzantine, o.Amnesia, o.Amnesiac, o.FairEvery = views, byzantine, 1, amnesiac, 0
	return o
}

// D8.7, I19: one of four correct replicas forgets. The search visits all states and finds nothing: all requests are
// executed on all replicas, and the replica that forgot votes again.
func TestD8_7_OneAmnesiacAmongCorrectReplicasIsSafeAndLive(t *testing.T) {
	for _, above := range []bool{false, true} {
		o := forgetful(1, Nobody, All)
		o.Above = above
		if !above {
			o.FairEvery = 1
		}
		d := Search(t.Context(), o, func(Run) {})
		if d.Verdict != Pass || len(d.Runs) != 2 {
			t.Fatalf("above %v: verdict %s: %+v", above, d.Verdict, d)
		}
		for _, r := range d.Runs {
			if r.States < 500 || !above && r.Fair != r.States {
				t.Errorf("above %v, r%d forgets: %d states, %d of them played on", above, r.Amnesiac, r.States, r.Fair)
			}
		}
	}
}

// D8.6: it is safe if one replica forgets and one of the replicas that answer it is Byzantine, although together they
// are more than f.
func TestD8_6_OneAmnesiacAndOneLiarAreSafe(t *testing.T) {
	if testing.Short() {
		t.Skip("a long search")
	}
	if d := Search(t.Context(), forgetful(2, 2, 0), func(Run) {}); d.Verdict != Pass || d.States < 10_000 {
		t.Fatalf("verdict %s: %+v", d.Verdict, d)
	}
}

// TestReductions_LoseNothingThatANewLifeSays does the same as TestReductions_LoseNothingThatIsSaid, for a search with
// amnesia.
func TestReductions_LoseNothingThatANewLifeSays(t *testing.T) {
	if testing.Short() {
		t.Skip("searches without reductions")
	}
	for _, byzantine := range []int{Nobody, 0, 1} {
		for _, above := range []bool{false, true} {
			o := forgetful(1, byzantine, 2)
			o.Above = above
			reduced := outcomes(t, o)
			o.Exact = true
			if exact := outcomes(t, o); !slices.Equal(reduced, exact) {
				t.Errorf("byzantine %d, above %v: with reductions\n%s\nwithout\n%s", byzantine, above,
					strings.Join(reduced, "\n"), strings.Join(exact, "\n"))
			}
		}
	}
}

// TestReplay_TellsWhoForgets replays a run in which a replica forgets.
func TestReplay_TellsWhoForgets(t *testing.T) {
	o := forgetful(1, 1, 2)
	o.Above = true
	s := newSearch(o, o.casts()[0])
	if complete, found := s.run(t.Context()); !complete || found != nil {
		t.Fatal(complete, found)
	}
	last := int32(len(s.states) - 1)
	f, err := Replay(o, s.replay(last))
	if err != nil {
		t.Fatal(err)
	}
	if told := strings.Join(f.Story, "\n"); !slices.Equal(f.Story, s.story(last)) || !strings.Contains(told, "loses all that it wrote") {
		t.Errorf("the story is\n%s", told)
	}
	for _, bad := range []string{"1/:", "1/4:", "-1/2:", "/2:"} {
		if _, err := Replay(o, bad); err == nil {
			t.Errorf("%q is replayed", bad)
		}
	}
}

// TestI2_ASecondViewChangeNeedsAWindowBetween checks that D8.10 allows a second view change only a window above the first.
func TestI2_ASecondViewChangeNeedsAWindowBetween(t *testing.T) {
	for _, c := range []struct {
		stable wire.Seq
		fails  bool
	}{{window, false}, {window - 1, true}} {
		var s shown
		first := letter{kind: wire.TypeViewChange, by: 1, view: 1}
		second := first
		second.stable = c.stable
		if err := s.note(first, 1); err != nil {
			t.Fatal(err)
		}
		if err := s.note(second, 2); (err != nil) != c.fails {
			t.Errorf("%d above the first: %v", c.stable, err)
		}
		if list := (&knowledge{1: &s}).changes(1, nobody); !c.fails && len(list) != 2 {
			t.Errorf("of two view changes %v are known", list)
		}
	}
}
