package node

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

const sectorBytes = 512 // of the journal (D9)

// A disk that may have forgotten a vote is refused before anything is sent: D8, first version.
func TestD8_AnUntrustedDiskIsRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(10, 100)
	b.level(4)
	older := b.image(3)
	l.put(20, 100)
	b.level(4)
	b.halt(3)
	final := b.image(3)
	for _, c := range []struct {
		name, mend string
		damage     func()
	}{
		{"a flipped bit", "must not run on this disk again", func() {
			edit(t, newest(t, filepath.Join(b.home(3), JournalDir), ".segment"), func(data []byte) []byte {
				data[used(data)/2] ^= 4
				return data
			})
		}},
		{"a flipped bit in the last synced sector", "must not run on this disk again", func() {
			edit(t, newest(t, filepath.Join(b.home(3), JournalDir), ".segment"), func(data []byte) []byte {
				data[used(data)-1] ^= 4
				return data
			})
		}},
		{"an older copy of the journal", "bring the newest one back", func() { b.restore(3, older, JournalDir) }},
		{"no journal", "bring the journal back", func() {
			if err := os.RemoveAll(filepath.Join(b.home(3), JournalDir)); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		c.damage()
		if err := b.refused(3, c.mend); !errors.Is(err, ErrUntrusted) {
			t.Errorf("%s: %v", c.name, err)
		}
		b.restore(3, final, StateDir, JournalDir)
	}
	b.start(3)
	b.level(4)
}

// What a crash tears from the last turn was never sent: the replica starts as if nothing had happened.
func TestD9_AHoleInTheLastTurnIsNormal(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(15, 100)
	b.level(4)
	b.halt(3)
	edit(t, newest(t, filepath.Join(b.home(3), JournalDir), ".segment"), func(data []byte) []byte {
		last := (used(data) - 1) / sectorBytes * sectorBytes
		index := binary.LittleEndian.Uint32(data[last+24:])
		first := last - int(index)*sectorBytes
		clear(data[first : first+sectorBytes]) // a hole if the turn has more than one sector
		return data
	})
	b.start(3)
	b.halt(2)
	l.put(10, 100)
	b.level(3)
	l.check(100)
}

// A journal of another replica of the cluster is not this one's.
func TestD8_AForeignJournalIsRefused(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	b.startAll()
	l := b.load()
	l.put(10, 100)
	b.stopAll()
	b.restore(3, b.image(2), JournalDir)
	_ = b.refused(3, "own journal")
}
