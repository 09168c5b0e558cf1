package bench

import (
	"bytes"
	"slices"
	"testing"
)

func TestWorkload_EveryKeyIsPutBeforeAnyIsPutAgain(t *testing.T) {
	in(t, func(t *testing.T) {
		f := newFake(t, steady(0))
		opt := small(2000)
		opt.Batch, opt.ValueBytes, opt.Keys = 7, 0, 1000
		mustRun(t, f, opt)
		if len(f.seen) != 1000 {
			t.Fatalf("%d different puts of empty values", len(f.seen))
		}
		for op, n := range f.seen {
			if n != 2 {
				t.Errorf("%q was put %d times", op, n)
			}
		}
		if slices.Max(f.sizes) != 7 || f.sizes[len(f.sizes)-1] != 2000%7 {
			t.Errorf("requests of %v operations", f.sizes)
		}
	})
}

func TestWorkload_RepeatsItselfForOneSeedOnly(t *testing.T) {
	one, two := small(1), small(1)
	two.Seed = 1
	first, again, other := workload{&one}.request(3, 2), workload{&one}.request(3, 2), workload{&two}.request(3, 2)
	of := func(r Request, i int) []byte { return r.Operations()[i] }
	if !bytes.Equal(of(first, 1), of(again, 1)) || bytes.Equal(of(first, 1), of(other, 1)) || bytes.Equal(of(first, 0), of(first, 1)) {
		t.Error("the operations do not follow from seed and number")
	}
}

func TestWorkload_ReadsAreAsManyAsAskedFor(t *testing.T) {
	opt := small(1)
	for percent, want := range map[int][2]int{0: {0, 0}, 30: {250, 350}, 100: {1000, 1000}} {
		opt.Reads = percent
		reads := 0
		for i := range 1000 {
			if r := (workload{&opt}).request(i, 1); r.Read {
				reads++
			}
		}
		if reads < want[0] || reads > want[1] {
			t.Errorf("%d of 1000 are reads at %d %%", reads, percent)
		}
	}
}

func TestJudge_KnowsAnswersFromRefusals(t *testing.T) {
	in(t, func(t *testing.T) {
		f, opt := newFake(t, steady(0)), small(1)
		put := workload{&opt}.request(0, 2)
		_, outputs := f.execute(put.Operations())
		if err := put.judge(outputs); err != nil {
			t.Error(err)
		}
		if put.judge(outputs[:1]) == nil || put.judge([][]byte{outputs[0], {0}}) == nil {
			t.Error("what is no result of two puts passes for one")
		}
		opt.Reads = 100
		get := workload{&opt}.request(5, 1)
		if _, outputs = f.execute(get.Operations()); get.judge(outputs) != nil {
			t.Error("a get of a key that does not exist is an error")
		}
	})
}
