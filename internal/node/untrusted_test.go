package node

import (
	"encoding/binary"
	"path/filepath"
	"testing"
)

const sectorBytes = 512 // of the journal (D9)

// If a crash tore the last turn, the journal is not damaged, and the replica starts. In this test the messages of that
// turn were sent, which no crash causes. So other replicas may show the replica what it signed, and then it recovers
// (D8.5).
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
		clear(data[first : first+sectorBytes]) // this leaves a hole in the turn if the turn has more than one sector
		return data
	})
	var v ballots
	b.start(3, v.options())
	b.until("it is back", func([]Report) bool {
		in := b.nodes[3].inspection()
		return b.nodes[3].instance.Load() != nil && !in.Asking && !in.Silent
	})
	if v.log.contain("is damaged") {
		t.Error("a torn turn is called damage")
	}
	b.level(4)
	b.halt(2)
	l.put(10, 100)
	b.level(3)
	l.check(100)
}

// A replica refuses a journal that another replica of the cluster wrote.
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
