package explore

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tagma/pbft"
	"tagma/pbft/wire"
)

// small are bounds of a search that takes a second or two.
func small(byzantine int) Options {
	o := Defaults()
	o.Views, o.Byzantine = 2, byzantine
	return o
}

func TestSearch_ExhaustsTwoViewsAndIsDeterministic(t *testing.T) {
	var runs [2]Run
	for i := range runs {
		d := Search(t.Context(), small(2), func(Run) {})
		if d.Verdict != Pass || len(d.Runs) != 1 || !d.Runs[0].Complete {
			t.Fatalf("verdict %s: %+v", d.Verdict, d)
		}
		runs[i] = d.Runs[0]
		runs[i].Seconds = 0
	}
	if runs[0] != runs[1] {
		t.Errorf("the same bounds gave\n%+v and\n%+v", runs[0], runs[1])
	}
	if runs[0].Fair != runs[0].States || runs[0].States < 1000 {
		t.Errorf("%d states, %d of them played on", runs[0].States, runs[0].Fair)
	}
}

func TestSearch_CrashesBeforeAndInTheMiddleOfWhatIsDurable(t *testing.T) {
	o := small(2)
	o.Views, o.Crashes = 1, 2
	d := Search(t.Context(), o, func(Run) {})
	if d.Verdict != Pass {
		t.Fatalf("%+v", d)
	}
	without := o
	without.Crashes = 0
	if fewer := Search(t.Context(), without, func(Run) {}); fewer.States >= d.States {
		t.Errorf("%d states with crashes, %d without", d.States, fewer.States)
	}
}

// TestReductions_LoseNothingThatIsSaid compares the search with one that merges no states. In both, correct replicas
// must send the same messages, the same batches must commit, and the same combinations of batches must be executed.
func TestReductions_LoseNothingThatIsSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("searches without reductions")
	}
	crash := small(2)
	crash.Crash, crash.Replicas, crash.Byzantine = true, 3, Nobody
	for _, o := range []Options{small(2), crash} {
		o.FairEvery = 0
		reduced := outcomes(t, o)
		o.Exact = true
		exact := outcomes(t, o)
		for _, what := range exact {
			if !slices.Contains(reduced, what) {
				t.Errorf("crash %t: only without reductions: %s", o.Crash, what)
			}
		}
		for _, what := range reduced {
			if !slices.Contains(exact, what) {
				t.Errorf("crash %t: only with reductions: %s", o.Crash, what)
			}
		}
		if len(exact) < 20 {
			t.Errorf("crash %t: %d outcomes compare nothing", o.Crash, len(exact))
		}
	}
}

// F1 to F4: three replicas that can only crash keep the invariants in every run within the bounds. From every state the
// run can continue until all requests are executed.
func TestSearch_ThreeReplicasThatOnlyCrash(t *testing.T) {
	o := small(1)
	o.Views, o.Crash, o.Replicas, o.Byzantine, o.Crashes, o.FairEvery = 2, true, 3, Nobody, 0, 7
	d := Search(t.Context(), o, func(Run) {})
	if d.Verdict != Pass || d.States < 1000 {
		t.Fatalf("%+v", d)
	}
	o.Amnesia = 1
	if o.Validate() == nil {
		t.Error("a replica that forgets is searched in a model that rules it out")
	}
}

// bare is a letter that prints all its fields.
type bare letter

// outcomes lists the messages that correct replicas can send within the bounds, and the combinations of batches that can
// commit.
func outcomes(t *testing.T, o Options) []string {
	s := newSearch(o, o.casts()[0])
	complete, found := s.run(context.Background())
	if found != nil || !complete {
		t.Fatalf("complete: %v, found %+v", complete, found)
	}
	set := map[string]bool{}
	for _, l := range s.a.letters[1:] {
		if l.by != s.a.byzantine && l.kind != wire.TypeHeldBy { // answers count as sent even if nobody has asked yet
			set[fmt.Sprintf("%+v", bare(l))] = true
		}
	}
	for i := range s.states {
		k := s.knowledge(&s.states[i])
		for v := range maxViews {
			for d := null; d <= fourth; d++ {
				if len(k.voters(wire.TypeCommit, wire.View(v), 1, d)) >= 3-s.a.liars() {
					set[fmt.Sprintf("commits: %v in v%d", d, v)] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func TestReplay_TellsTheSameStory(t *testing.T) {
	o := small(1)
	s := newSearch(o, cast{1, nobody})
	if complete, found := s.run(t.Context()); !complete || found != nil {
		t.Fatal(complete, found)
	}
	last := int32(len(s.states) - 1)
	f, err := Replay(o, s.replay(last))
	if err != nil {
		t.Fatal(err)
	}
	if want := s.story(last); !slices.Equal(f.Story, want) || len(want) < 10 {
		t.Errorf("the story is\n%s\nwant\n%s", strings.Join(f.Story, "\n"), strings.Join(want, "\n"))
	}
	for _, bad := range []string{"", "7:", "1:2", "1:1.0", "1:0.99"} {
		if _, err := Replay(o, bad); err == nil {
			t.Errorf("%q is replayed", bad)
		}
	}
}

func TestSearch_SaysThatItsBudgetIsSpent(t *testing.T) {
	o := small(1)
	o.MaxStates = 100
	if d := Search(t.Context(), o, func(Run) {}); d.Verdict != Incomplete || !strings.Contains(d.Summary(), "incomplete") {
		t.Errorf("%s: %s", d.Verdict, d.Summary())
	}
}

// TestJudge_CanFail gives the judge wrong states that no run reaches.
func TestJudge_CanFail(t *testing.T) {
	a := newAlphabet(newWorld(small(3), cast{3, nobody}))
	var k knowledge
	for i := range 3 {
		k[i] = &shown{}
	}
	k[0].commit[0][0], k[1].commit[0][0] = first, first
	if err := a.judge(&k); err != nil {
		t.Fatalf("a batch that commits once: %v", err)
	}
	a.letters = append(a.letters, letter{kind: wire.TypeNewView, by: 1, view: 1, order: [maxSlots]value{second}})
	a.mail = append(a.mail, wire.Own(&wire.NewView{View: 1}))
	k[2].activated[1] = 1
	if err := a.judge(&k); err == nil || !strings.HasPrefix(err.Error(), "I17") {
		t.Errorf("a new view that drops what committed: %v", err)
	}
	k[2].activated[1] = 0
	k[1].commit[1][0], k[2].commit[1][0] = second, second
	if err := a.judge(&k); err == nil || !strings.HasPrefix(err.Error(), "I1:") {
		t.Errorf("two batches that commit at one place: %v", err)
	}
	if err := a.taken(2, &shown{activated: [maxViews]int32{0, 1, 0, 0}}); err == nil {
		t.Error("an O that its view changes do not require passes")
	}
	var s shown
	vote := letter{kind: wire.TypePrepare, by: 2, seq: 1, value: first}
	if err := s.note(vote, 1); err != nil {
		t.Fatal(err)
	}
	if vote.value = second; s.note(vote, 1) == nil {
		t.Error("I2: two digests for one place pass")
	}
}

// TestFingerprint_WhatIsLeftOutIsThere fails if a field that the fingerprint leaves out was renamed or moved. Otherwise
// such a field would be hashed, equal states would count as different, and searches would not end.
func TestFingerprint_WhatIsLeftOutIsThere(t *testing.T) {
	there, seen := map[string]bool{}, map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(at reflect.Type) {
		if there[at.Name()] = true; seen[at] {
			return
		}
		seen[at] = true
		switch at.Kind() {
		case reflect.Array, reflect.Slice, reflect.Pointer:
			walk(at.Elem())
		case reflect.Map:
			walk(at.Key())
			walk(at.Elem())
		case reflect.Struct:
			for i := range at.NumField() {
				there[at.Name()+"."+at.Field(i).Name] = true
				walk(at.Field(i).Type)
			}
		default:
		}
	}
	walk(reflect.TypeFor[pbft.Replica]())
	for _, name := range slices.Concat(slices.Collect(maps.Keys(leftOutTypes)), slices.Collect(maps.Keys(leftOut))) {
		if !there[name] {
			t.Errorf("the core has no %s", name)
		}
	}
}

// If a search is interrupted, it reports that, and does not say that its bounds are too wide.
func TestSearch_InterruptedSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := Defaults()
	o.Views = 2
	d := Search(ctx, o, func(Run) {})
	if text := d.Summary(); d.Verdict != Incomplete || !strings.Contains(text, "the search was interrupted") || strings.Contains(text, "--max-states") {
		t.Errorf("%s: %s", d.Verdict, text)
	}
}
