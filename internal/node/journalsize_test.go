package node

import (
	"path/filepath"
	"testing"

	"tagma/internal/cluster"
)

// I6: the journal does not grow with the number of executed batches.
func TestK1_TheJournalShrinksBehindStableCheckpoints(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, cluster.Protocol{CheckpointInterval: 4, LogWindow: 8})
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.SegmentBytes = minSegmentBytes })
	}
	b.startAll()
	l := b.load()
	for range 30 { // in small steps, so that no replica falls behind by more than the window
		l.put(4, 9000)
		b.level(4)
	}
	b.until("half of what was written is gone", func(rs []Report) bool {
		for _, r := range rs {
			if r.JournalBytes > 12*minSegmentBytes {
				return false
			}
		}
		return true
	})
	b.until("the next segment is prepared everywhere", func([]Report) bool {
		spares, err := filepath.Glob(filepath.Join(b.dir, "*", JournalDir, "spare*"))
		return err == nil && len(spares) == 4
	})
	for i := range 4 {
		if b.reachesBack(i) {
			t.Errorf("replica %d still has its first segment", i)
		}
	}
	b.stopAll()
	b.startAll()
	l.put(4, 9000)
	b.level(4)
}

// reachesBack reports whether a replica's journal still has its first segment.
func (b *testbed) reachesBack(i int) bool {
	b.t.Helper()
	first, err := filepath.Glob(filepath.Join(b.home(i), JournalDir, "*00001.segment"))
	if err != nil {
		b.t.Fatal(err)
	}
	return len(first) > 0
}

// adjust changes a home's settings.
func (b *testbed) adjust(i int, change func(*Settings)) {
	b.t.Helper()
	s, err := loadSettings(b.home(i))
	if err != nil {
		b.t.Fatal(err)
	}
	change(&s)
	if err := s.Save(b.home(i)); err != nil {
		b.t.Fatal(err)
	}
}
