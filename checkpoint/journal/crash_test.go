package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
)

// history calls a journal at random on a simulated disk, and knows what the journal must return after a restart.
type history struct {
	disk      *disk
	rng       *rand.Rand
	j         *Journal
	id        uint64          // number of the last turn that was appended; also the Seq of its entries
	acked     map[uint64]bool // turns that must not be lost: Append returned nil for them, or Open returned them
	pending   uint64          // the turn for which Append returned an error; 0: none
	truncated uint64          // the highest Seq that Truncate was asked to delete
	indexed   bool
}

const testDir = "home/journal"

func newHistory(seed uint64) *history {
	return &history{disk: newDisk(), rng: rand.New(rand.NewPCG(seed, 9)), acked: map[uint64]bool{}}
}

func (h *history) options() Options {
	opt := Options{SegmentBytes: 16 * sectorBytes, FS: h.disk}
	if h.indexed {
		opt.Index = everything
	}
	return opt
}

// turn makes the entries of a turn. Each entry says its own number within the turn, and how many the turn has.
func (h *history) turn(id uint64) []Entry {
	entries := make([]Entry, 1+h.rng.IntN(4))
	for i := range entries {
		data := make([]byte, 16+h.rng.IntN(1200))
		binary.LittleEndian.PutUint64(data, id)
		binary.LittleEndian.PutUint32(data[8:], uint32(i))
		binary.LittleEndian.PutUint32(data[12:], uint32(len(entries)))
		entries[i] = Entry{Seq: id, Data: data}
	}
	return entries
}

func anchor() []Entry { return []Entry{{Data: []byte("anchor")}, {Data: make([]byte, 700)}} }

// act calls one method, drawn at random, and returns the journal's error.
func (h *history) act() error {
	switch h.rng.IntN(12) {
	case 0:
		return h.j.Rotate(anchor())
	case 1:
		h.truncated = max(h.truncated, h.rng.Uint64N(h.id+1))
		_, err := h.j.Truncate(h.truncated)
		return err
	case 2:
		if err := h.j.Preallocate(); errors.Is(err, errCrashed) {
			return err
		}
		return nil // no record depends on it
	case 3:
		if err := h.j.Close(); err != nil {
			return err
		}
		return h.open()
	}
	h.id++
	entries := h.turn(h.id)
	h.pending = h.id
	err := h.j.Append(entries)
	if errors.Is(err, ErrFull) {
		if err := h.j.Rotate(anchor()); err != nil {
			return err
		}
		err = h.j.Append(entries)
	}
	if err == nil {
		h.acked[h.id], h.pending = true, 0
	}
	return err
}

// run starts the journal and calls its methods until one returns an error or enough calls were made.
func (h *history) run(acts int) error {
	if err := h.open(); err != nil {
		return err
	}
	for range acts {
		if err := h.act(); err != nil {
			return err
		}
	}
	return nil
}

// open starts the journal, making it if there is none yet, and checks what it gives back.
func (h *history) open() error {
	j, entries, err := Open(testDir, h.options())
	if errors.Is(err, ErrEmpty) && len(h.acked) == 0 {
		j, err = Create(testDir, anchor(), h.options())
	} else if err == nil {
		err = h.check(entries)
	}
	if err == nil {
		h.j = j
	}
	return err
}

var errWrong = errors.New("wrong entries")

// check checks what a start returned. Every acknowledged turn above the truncation point is there once, whole and in
// order. The turn whose Append failed is there whole or not at all; from now on it is known which. Nothing else is
// there.
func (h *history) check(entries []Entry) error {
	seen := map[uint64]bool{}
	last := uint64(0)
	for len(entries) > 0 {
		if e := entries[0]; e.Seq == 0 {
			entries = entries[1:]
			continue
		}
		id := binary.LittleEndian.Uint64(entries[0].Data)
		n := int(binary.LittleEndian.Uint32(entries[0].Data[12:]))
		if id <= last || n > len(entries) {
			return fmt.Errorf("%w: turn %d behind turn %d, %d of %d entries", errWrong, id, last, len(entries), n)
		}
		for i, e := range entries[:n] {
			if e.Seq != id || binary.LittleEndian.Uint64(e.Data) != id || int(binary.LittleEndian.Uint32(e.Data[8:])) != i {
				return fmt.Errorf("%w: entry %d of turn %d", errWrong, i, id)
			}
		}
		if !h.acked[id] && id != h.pending {
			return fmt.Errorf("%w: turn %d was dropped before and is back", errWrong, id)
		}
		seen[id], last, entries = true, id, entries[n:]
	}
	for id := range h.acked {
		if id > h.truncated && !seen[id] {
			return fmt.Errorf("%w: turn %d is lost", errWrong, id)
		}
	}
	if seen[h.pending] {
		h.acked[h.pending] = true
	}
	h.pending = 0
	return nil
}

const (
	crashSeeds = 8
	crashActs  = 25
)

// everyCall runs a history once without a fault to count the calls of the disk. Then it runs the history once for
// each call, with a fault at that call.
func everyCall(t *testing.T, strike func(t *testing.T, h *history, call int, l loss)) {
	for seed := range uint64(crashSeeds) {
		calm := newHistory(seed)
		if err := calm.run(crashActs); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for call := 1; call <= calm.disk.calls; call++ {
			for l := range lossKinds {
				t.Run(fmt.Sprintf("seed %d call %d loss %d", seed, call, l), func(t *testing.T) {
					strike(t, newHistory(seed), call, l)
				})
			}
		}
	}
}

// survive restarts the journal after a crash with the given loss, continues, and crashes again soon, perhaps during
// the start. The last restart loses everything that a crash can take.
func survive(t *testing.T, h *history, l loss) {
	t.Helper()
	for i, l := range []loss{l, loseHoles, loseAll, loseHoles} {
		h.disk.restart(l, h.rng)
		if i < 2 {
			h.disk.crashAt = h.disk.calls + 1 + h.rng.IntN(8)
		}
		if err := h.run(4); err != nil && !(i < 2 && errors.Is(err, errCrashed)) {
			t.Fatal(err)
		}
	}
}

// D9, D0: a crash at any call may take any of the unsynced sectors and names. No turn for which Append returned nil
// is lost. The turn that was being written is there whole or not at all.
func TestD9_CrashAtEveryCall(t *testing.T) {
	everyCall(t, func(t *testing.T, h *history, call int, l loss) {
		h.disk.crashAt = call
		if err := h.run(crashActs); !errors.Is(err, errCrashed) {
			t.Fatalf("the crash did not happen: %v", err)
		}
		survive(t, h, l)
	})
}

// D6: after a failed write or sync the journal refuses every call. A later start returns a correct journal, although
// the pages of the failed sync look written and are not.
func TestD6_FailureAtEveryCall(t *testing.T) {
	everyCall(t, func(t *testing.T, h *history, call int, l loss) {
		h.disk.failAt, h.disk.failure = call, syscall.EIO
		if call%2 == 0 {
			h.disk.failure = syscall.ENOSPC
		}
		err := h.run(crashActs)
		if err != nil {
			if !errors.Is(err, h.disk.failure) {
				t.Fatal(err)
			}
			if h.j != nil && !errors.Is(h.j.Append(h.turn(1)), h.disk.failure) && !errors.Is(h.j.Append(nil), ErrClosed) {
				t.Fatal("the journal works on after a failure")
			}
		}
		survive(t, h, l)
	})
}

// D9: a disk that only pretends to sync may lose turns. Then a start returns the turns up to some point without a
// gap, or reports the loss (D8).
func TestD8_LyingSyncNeverLeavesAGap(t *testing.T) {
	noticed, lost := 0, 0
	for seed := range uint64(200) {
		h := newHistory(seed)
		if err := h.open(); err != nil {
			t.Fatal(err)
		}
		h.disk.lying = true
		var ids []uint64
		for id := uint64(1); ; id++ {
			err := h.j.Append(h.turn(id))
			if errors.Is(err, ErrFull) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		h.disk.restart(loss(1+seed%3), h.rng)
		_, entries, err := Open(testDir, h.options())
		if errors.Is(err, ErrRot) {
			noticed++
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for _, e := range entries {
			if e.Seq != 0 {
				got = append(got, e.Seq)
			}
		}
		if got = slices.Compact(got); !slices.Equal(got, ids[:len(got)]) {
			t.Fatalf("seed %d: turns %v of %v", seed, got, ids)
		}
		if len(got) < len(ids) {
			lost++
		}
	}
	if noticed == 0 || lost == 0 {
		t.Fatalf("noticed %d, lost %d: the disk did not lie", noticed, lost)
	}
}
