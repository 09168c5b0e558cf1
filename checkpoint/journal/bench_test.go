//go:build linux

package journal

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// benchTurn is a turn of 64 votes of the size of a signed Commit.
func benchTurn() []Entry {
	turn := make([]Entry, 64)
	for i := range turn {
		turn[i] = Entry{Seq: 1, Data: make([]byte, 133)}
	}
	return turn
}

// BenchmarkAppend measures one durable turn, without the rotations. In the indexed case every eight entries share a
// sequence number.
func BenchmarkAppend(b *testing.B) {
	for _, way := range []struct {
		name string
		opt  Options
	}{{"plain", Options{}}, {"indexed", Options{Index: everything}}} {
		b.Run(way.name, func(b *testing.B) {
			_, j := created(b, way.opt)
			turn := benchTurn()
			for seq := uint64(1); b.Loop(); seq += 8 {
				if j.NeedsRotation() {
					b.StopTimer()
					must(b, j.Rotate(anchor()))
					_, err := j.Truncate(seq)
					must(b, err)
					b.StartTimer()
				}
				for i := range turn {
					turn[i].Seq = seq + uint64(i/8)
				}
				must(b, j.Append(turn))
			}
		})
	}
}

// BenchmarkRead reads one entry of the size of a batch while nothing else runs.
func BenchmarkRead(b *testing.B) {
	_, j := created(b, Options{Index: everything})
	const seqs = 1000
	for seq := uint64(1); seq <= seqs; seq++ {
		must(b, j.Append([]Entry{{Seq: seq, Data: make([]byte, 8<<10)}}))
	}
	for n := uint64(0); b.Loop(); n++ {
		got, err := j.Read(1 + n%seqs)
		must(b, err)
		if len(got) != 1 {
			b.Fatal("not found")
		}
	}
}

// BenchmarkPlacement compares where the bytes of a turn may go: behind the end of a growing file, into reserved extents,
// or into zeros that were really written, which is what segments do.
func BenchmarkPlacement(b *testing.B) {
	const room = DefaultSegmentBytes
	data := appendTurn(nil, sector{kind: kindTurn, epoch: 1, turn: 1}, benchTurn())
	for _, way := range []struct {
		name    string
		prepare func(f *os.File) error
	}{
		{"growing", func(f *os.File) error { return f.Truncate(0) }},
		{"fallocated", func(f *os.File) error {
			if err := f.Truncate(0); err != nil {
				return err
			}
			return unix.Fallocate(int(f.Fd()), 0, 0, room)
		}},
		{"zeroed", func(f *os.File) error { _, err := f.WriteAt(make([]byte, room), 0); return err }},
	} {
		b.Run(way.name, func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "file"))
			must(b, err)
			at := int64(room)
			for b.Loop() {
				if at+int64(len(data)) > room {
					b.StopTimer()
					must(b, way.prepare(f))
					must(b, f.Sync())
					at = 0
					b.StartTimer()
				}
				_, err := f.WriteAt(data, at)
				must(b, err)
				must(b, syncData(f))
				at += int64(len(data))
			}
			must(b, f.Close())
		})
	}
}

// BenchmarkRotate begins a new segment of the default size, with and without a file that was prepared beforehand.
func BenchmarkRotate(b *testing.B) {
	for _, prepared := range []bool{false, true} {
		b.Run(map[bool]string{false: "cold", true: "preallocated"}[prepared], func(b *testing.B) {
			_, j := created(b, Options{})
			for b.Loop() {
				b.StopTimer()
				if prepared {
					must(b, j.Preallocate())
				}
				_, err := j.Truncate(1)
				must(b, err)
				b.StartTimer()
				must(b, j.Rotate(anchor()))
			}
		})
	}
}

// BenchmarkOpen is a start with one full segment of the default size.
func BenchmarkOpen(b *testing.B) {
	dir, j := created(b, Options{})
	for !j.NeedsRotation() {
		must(b, j.Append(benchTurn()))
	}
	must(b, j.Close())
	for b.Loop() {
		j, _, err := Open(dir, Options{})
		must(b, err)
		must(b, j.Close())
	}
}
