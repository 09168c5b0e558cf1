package node

import (
	"path/filepath"
	"testing"

	"tagma/internal/cluster"
)

// I6: the journal does not grow with the history.
func TestK1_TheJournalShrinksBehindStableCheckpoints(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, cluster.Protocol{CheckpointInterval: 4, LogWindow: 8})
	for i := range 4 {
		b.adjust(i, func(s *Settings) { s.SegmentBytes = minSegmentBytes })
	}
	b.startAll()
	l := b.load()
	for range 30 { // in steps that everybody can follow: what falls out of the window is left behind
		l.put(4, 6000)
		b.level(4)
	}
	b.until("few segments, a spare included", func(rs []Report) bool {
		for _, r := range rs {
			if r.JournalBytes > 6*minSegmentBytes {
				return false
			}
		}
		return true
	})
	for i := range 4 {
		if first, err := filepath.Glob(filepath.Join(b.home(i), JournalDir, "*00001.*")); err != nil || len(first) != 0 {
			t.Errorf("replica %d still has its first segment: %v, %v", i, first, err)
		}
	}
	b.stopAll()
	b.startAll()
	l.put(4, 6000)
	b.level(4)
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
