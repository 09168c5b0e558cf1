package journal

import (
	"runtime"
	"testing"
)

// filled returns an index with two places for each sequence number, many in a first segment and few in a second one.
func filled(many, few uint64) *index {
	x := &index{want: everything}
	for number, top := range []uint64{many, many + few} {
		s := Segment{Number: uint64(number + 1), FirstTurn: 1}
		x.extend(s, 1)
		for seq := top - []uint64{many, few}[number] + 1; seq <= top; seq++ {
			x.add(&s, 2, 1, []Entry{{Seq: seq}, {Seq: seq}})
		}
	}
	return x
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// X0: the memory of the index follows what is retained. When segments are deleted, the memory of their entries is
// freed, also that of the Go map.
func TestX0_IndexMemoryFollowsWhatIsRetained(t *testing.T) {
	const many, few, perSeq = 100_000, 100, 160
	before := heap()
	x := filled(many, few)
	if held := heap() - before; held > (many+few)*perSeq {
		t.Errorf("%d bytes for %d sequence numbers", held, many+few)
	}
	x.drop(2)
	if held := heap() - before; held > many*perSeq/10 {
		t.Errorf("%d bytes are left", held)
	}
	if len(x.places) != few || x.lowest != many+1 || len(x.segments) != 1 {
		t.Errorf("%d sequence numbers, the lowest is %d, %d segments", len(x.places), x.lowest, len(x.segments))
	}
}

// BenchmarkIndex is the memory of the index, and the time to drop one of two segments from it.
func BenchmarkIndex(b *testing.B) {
	const seqs = 50_000
	var bytes int64
	for b.Loop() {
		b.StopTimer()
		before := heap()
		x := filled(seqs, seqs)
		bytes = heap() - before
		b.StartTimer()
		x.drop(2)
	}
	b.ReportMetric(float64(bytes)/(2*seqs), "B/seq")
}
