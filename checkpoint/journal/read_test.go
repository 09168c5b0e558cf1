package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"tagma/internal/alone"
)

func everything([]byte) bool { return true }

func indexed() Options {
	opt := small()
	opt.Index = everything
	return opt
}

// wantIndex checks that Read finds exactly the given entries, oldest first, and that the files hold these and no
// others.
func wantIndex(t testing.TB, j *Journal, all []Entry) {
	t.Helper()
	bySeq := map[uint64][]Entry{}
	lowest, highest := uint64(0), uint64(0)
	for _, e := range all {
		if e.Seq == 0 {
			continue
		}
		bySeq[e.Seq] = append(bySeq[e.Seq], e)
		if lowest == 0 || e.Seq < lowest {
			lowest = e.Seq
		}
		highest = max(highest, e.Seq)
	}
	if j.Lowest() != lowest {
		t.Fatalf("the lowest is %d, want %d", j.Lowest(), lowest)
	}
	for seq := range highest + 2 {
		want := bySeq[seq]
		want = want[max(0, len(want)-maxPlaces):]
		got, err := j.Read(seq)
		must(t, err)
		if !slices.EqualFunc(got, want, equal) || len(want) == 0 && got != nil {
			t.Fatalf("sequence number %d: %d entries, want %d, or they differ", seq, len(got), len(want))
		}
		if j.Holds(seq) != (len(want) > 0) {
			t.Fatalf("sequence number %d: held: %t, with %d entries", seq, j.Holds(seq), len(want))
		}
	}
}

// X0: in a random history with crashes, rotations, truncations and restarts, Read always finds all entries of the
// retained segments, and none of a torn turn or of a deleted segment.
func TestX0_ReadFindsWhatTheFilesHold(t *testing.T) {
	alone.Test(t)
	torn := 0
	for seed := range uint64(60) {
		h := newHistory(seed)
		h.indexed = true
		for range 3 {
			must(t, h.open())
			for range 25 {
				must(t, h.act())
				c, err := readAll(h.disk, testDir)
				must(t, err)
				wantIndex(t, h.j, c.entries())
			}
			h.disk.crashAt = h.disk.calls + 1 + h.rng.IntN(4)
			for h.act() == nil {
			}
			h.disk.restart(loseHoles, h.rng)
			c, err := readAll(h.disk, testDir)
			must(t, err)
			if s := c[len(c)-1]; s.torn != 0 {
				torn++
			}
			must(t, h.open())
			wantIndex(t, h.j, c.entries())
			must(t, h.j.Close())
		}
	}
	if torn == 0 {
		t.Fatal("no crash left a torn tail")
	}
}

// X0: Options.Index chooses which entries are indexed. Entries with Seq 0 are never indexed. Entries of anchors are
// indexed like those of turns.
func TestX0_IndexChoosesTheEntries(t *testing.T) {
	opt := small()
	opt.Index = func(data []byte) bool { return data[0] == 'b' }
	dir, j := created(t, opt)
	body := Entry{Seq: 3, Data: []byte("body")}
	must(t, j.Append([]Entry{{Seq: 3, Data: []byte("vote")}, body, {Data: []byte("body of none")}}))
	must(t, j.Rotate([]Entry{{Seq: 3, Data: []byte("vote")}, body}))
	for range 2 {
		got, err := j.Read(3)
		must(t, err)
		if !slices.EqualFunc(got, []Entry{body, body}, equal) {
			t.Fatalf("%v", got)
		}
		if got, err := j.Read(0); got != nil || err != nil || j.Holds(0) || j.Lowest() != 3 {
			t.Fatal("an entry with Seq 0 is indexed")
		}
		must(t, j.Close())
		j, _, err = Open(dir, opt)
		must(t, err)
	}
	must(t, j.Close())

	_, j = created(t, small())
	must(t, j.Append([]Entry{body}))
	if got, err := j.Read(3); got != nil || err != nil || j.Holds(3) || j.Lowest() != 0 {
		t.Fatal("a journal without an index found something")
	}
}

// X0: the index keeps the newest eight entries of a sequence number, in the order in which they were written.
func TestX0_ASequenceNumberHasAtMostEightPlaces(t *testing.T) {
	dir, j := created(t, indexed())
	for i := range byte(3*maxPlaces + 1) {
		if err := j.Append([]Entry{{Seq: 5, Data: bytes.Repeat([]byte{i}, 700)}}); errors.Is(err, ErrFull) {
			must(t, j.Rotate([]Entry{{Seq: 5, Data: []byte{i}}}))
		}
		got, err := j.Read(5)
		must(t, err)
		want := min(int(i)+1, maxPlaces)
		if len(got) != want || got[want-1].Data[0] != i || got[0].Data[0] != i+1-byte(want) {
			t.Fatalf("after entry %d: %d entries", i, len(got))
		}
	}
	want, err := j.Read(5)
	must(t, err)
	must(t, j.Close())
	j, _, err = Open(dir, indexed())
	must(t, err)
	got, err := j.Read(5)
	must(t, err)
	if !slices.EqualFunc(got, want, equal) {
		t.Fatal("a start finds others than the owner before it")
	}
	must(t, j.Close())
	if _, err := j.Read(5); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// numbered is an entry whose size and bytes follow from its sequence number.
func numbered(seq uint64) Entry {
	return Entry{Seq: seq, Data: bytes.Repeat(binary.LittleEndian.AppendUint64(nil, seq), 1+int(seq*37%200))}
}

// X0: Read runs while the owner appends, rotates, truncates and prepares segments. It returns each entry whole, or no
// entry if it was truncated.
func TestX0_ReadBesideTheOwner(t *testing.T) {
	_, j := created(t, indexed())
	var appended, truncated atomic.Uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	found := [3]int{}
	for reader := range found {
		wg.Go(func() {
			for n := uint64(0); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				top := appended.Load()
				seq := top - n%min(top+1, 60)
				got, err := j.Read(seq)
				gone := seq <= truncated.Load()
				switch {
				case err != nil:
					t.Error(err)
					return
				case len(got) == 1 && equal(got[0], numbered(seq)):
					found[reader]++
				case len(got) != 0 || !gone && seq > 0:
					t.Errorf("%d entries of sequence number %d; truncated: %t", len(got), seq, gone)
					return
				}
				if low := j.Lowest(); low > 0 && low <= seq && !j.Holds(seq) && seq > truncated.Load() {
					t.Errorf("sequence number %d is not held, the lowest is %d", seq, low)
				}
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			if err := j.Preallocate(); err != nil {
				t.Error(err)
			}
		}
	})
	for seq := uint64(1); seq <= 1500; seq++ {
		if err := j.Append([]Entry{numbered(seq)}); errors.Is(err, ErrFull) {
			must(t, j.Rotate(anchor()))
			truncated.Store(seq - min(seq, 30))
			_, err := j.Truncate(truncated.Load())
			must(t, err)
			must(t, j.Append([]Entry{numbered(seq)}))
		} else {
			must(t, err)
		}
		appended.Store(seq)
	}
	close(stop)
	wg.Wait()
	if found[0]+found[1]+found[2] == 0 {
		t.Fatal("the readers found nothing")
	}
}
