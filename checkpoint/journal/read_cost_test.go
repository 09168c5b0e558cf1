package journal

import (
	"errors"
	"io/fs"
	"testing"
)

// watchedFS calls opening before a file is opened and counts what is read.
type watchedFS struct {
	FS
	opening func()
	read    int
	open    int
	most    int // files open at a time
}

type watchedFile struct {
	File
	w *watchedFS
}

func (w *watchedFS) Open(path string, write bool) (File, error) {
	if w.opening != nil {
		w.opening()
	}
	f, err := w.FS.Open(path, write)
	if err != nil {
		return nil, err
	}
	w.open++
	w.most = max(w.most, w.open)
	return watchedFile{f, w}, nil
}

func (f watchedFile) ReadAt(b []byte, at int64) (int, error) {
	f.w.read += len(b)
	return f.File.ReadAt(b, at)
}

func (f watchedFile) Close() error { f.w.open--; return f.File.Close() }

// X0: if a segment is deleted after Read has found its entry in the index and before Read opens the file, Read
// returns no entry. If the file is missing although the owner did not delete it, Read returns an error.
func TestX0_ASegmentDeletedMeanwhileIsNoLongerHeld(t *testing.T) {
	d := newDisk()
	w := &watchedFS{FS: d}
	opt := Options{SegmentBytes: 16 * sectorBytes, FS: w, Index: everything}
	j, err := Create(testDir, nil, opt)
	must(t, err)
	must(t, j.Append([]Entry{{Seq: 1, Data: []byte("old")}}))
	must(t, j.Rotate([]Entry{{Seq: 2, Data: []byte("anchor")}}))
	w.opening = func() {
		w.opening = nil
		removed, err := j.Truncate(1)
		if removed != 1 || err != nil {
			t.Error(removed, err)
		}
	}
	if got, err := j.Read(1); got != nil || err != nil {
		t.Fatalf("%v, %v", got, err)
	}
	w.opening = func() { delete(d.names, testDir+"/"+segmentName(2)) }
	if _, err := j.Read(2); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// X0: Read reads only the sectors of its entries and opens one file at a time, however large the turns and segments
// are.
func TestX0_ReadCostsWhatItsEntriesTake(t *testing.T) {
	w := &watchedFS{FS: newDisk()}
	opt := Options{SegmentBytes: 4096 * sectorBytes, FS: w, Index: everything}
	j, err := Create(testDir, nil, opt)
	must(t, err)
	var turn []Entry
	for seq := uint64(1); seq <= 1000; seq++ {
		turn = append(turn, numbered(seq))
	}
	must(t, j.Append(turn))
	must(t, j.Rotate(turn))
	for seq := uint64(1); seq <= 1000; seq++ {
		w.read = 0
		got, err := j.Read(seq)
		must(t, err)
		size := entryHead + len(numbered(seq).Data)
		if bound := 2 * (size/payloadBytes + 2) * sectorBytes; len(got) != 2 || w.read > bound {
			t.Fatalf("%d bytes read for %d entries of %d", w.read, len(got), size)
		}
	}
	if w.open != 0 || w.most != 1 {
		t.Fatalf("%d files were open at a time, %d are left open", w.most, w.open)
	}
}
