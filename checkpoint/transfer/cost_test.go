package transfer

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"testing"

	"tagma/internal/alone"
)

// numbered returns a state of n keys of 16 bytes with values of 100.
func numbered(n int) state {
	s := make(state, n)
	for i := range n {
		setNumber(s, i, 0)
	}
	return s
}

func setNumber(s state, i, version int) {
	var key [16]byte
	var value [100]byte
	binary.BigEndian.PutUint64(key[8:], uint64(i))
	binary.BigEndian.PutUint64(value[:], uint64(version))
	s[string(key[:])] = value[:]
}

// measure transfers a numbered state into an empty store, and into one in which every hundredth key has another
// value. It returns how many bytes were received in each case, and how many bytes of queries were sent in the second.
func measure(t testing.TB, keys int) (whole, part, asked uint64) {
	target := numbered(keys)
	donor := honestOf(t, target)
	stage := stageOf(t, state{})
	count := func() (uint64, uint64) {
		r := NewReceiver(target.root(), stage, Options{})
		x := &exchange{t: t, receiver: r, donors: []answerer{donor}, random: rand.New(rand.NewPCG(1, 2)), most: 1 << 30}
		x.run()
		p := r.Progress()
		t.Logf("%+v, %d answers, %d bytes of queries", p, x.answers, x.asked)
		return p.Bytes, uint64(x.asked)
	}
	whole, _ = count()
	older := maps.Clone(target)
	for i := 0; i < keys; i += 100 {
		setNumber(older, i, 1)
	}
	stage = stageOf(t, older)
	part, asked = count()
	stage.wantEqual(target)
	return whole, part, asked
}

func TestX4_OnlyWhatChangedIsFetched(t *testing.T) {
	alone.Test(t)
	const keys = 100_000
	whole, part, _ := measure(t, keys)
	if overhead := float64(whole)/(keys*116) - 1; overhead > 0.15 {
		t.Errorf("an empty store is filled with %.1f %% more bytes than its keys and values have", 100*overhead)
	}
	if share := float64(part) / float64(whole); share > 0.05 {
		t.Errorf("with 1 %% of the keys changed %.1f %% of the bytes are transferred", 100*share)
	}
}

func BenchmarkMillionKeys(b *testing.B) {
	const keys = 1_000_000
	for b.Loop() {
		whole, part, asked := measure(b, keys)
		b.ReportMetric(100*(float64(whole)/(keys*116)-1), "%overhead")
		b.ReportMetric(100*float64(part)/float64(whole), "%received")
		b.ReportMetric(100*float64(asked)/float64(whole), "%asked")
	}
}
