package store

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/dgraph-io/ristretto/v2/z"

	"tagma/statemachine"
)

// Values that have several parts, and a write that is larger than badger takes in one request.
func TestLargeWritesAreDurableWhole(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	m := model{{}}
	size := s.cut.usual
	for seq := uint64(1); seq <= 12; seq++ {
		var writes []statemachine.Write
		for i := range 8 {
			// Values become longer and shorter and are deleted, with lengths around the borders between parts.
			switch n := (int(seq)*5 + i*3) % 7; n {
			case 0:
				writes = append(writes, remove(fmt.Sprint(i)))
			default:
				value := fmt.Sprint(seq, strings.Repeat("v", (n-1)*size+i))
				writes = append(writes, put(fmt.Sprint(i), value))
			}
		}
		ws := set(seq, writes...)
		write(t, s, ws)
		m.apply(ws)
		if checkpoint(t, s, seq) != m.root(seq) {
			t.Fatalf("the root at %d differs from the model's", seq)
		}
	}
	check := func() {
		t.Helper()
		for at := range m {
			for i := range 8 {
				key := fmt.Sprint(i)
				want, ok := m[at][key]
				if !ok {
					want = "-"
				}
				if got := get(t, s, uint64(at), key); got != want {
					t.Fatalf("%s at %d has %d bytes, want %d", key, at, len(got), len(want))
				}
			}
		}
	}
	check()
	s = open(t, crashImage(t, dir))
	for _, at := range []uint64{12, 7, 0} {
		if load(t, s, at) != m.root(at) {
			t.Errorf("a crash changed the root at %d", at)
		}
	}
}

func TestPartsOfReplacedValuesAreDeleted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	load(t, s, 0)
	long := strings.Repeat("v", 3*s.cut.usual)
	write(t, s, set(1, put("a", long), put("b", long), put("c", long)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	load(t, s, 1)
	write(t, s, set(2, put("a", "short"), remove("b")), set(3, remove("a"), put("c", long[:len(long)/2])))
	if want := map[string]int{"c": 1}; fmt.Sprint(s.parts) != fmt.Sprint(want) {
		t.Errorf("parts are remembered as %v, want %v", s.parts, want)
	}
	left := partsAt(s, 3)
	if len(left) != 1 {
		t.Errorf("parts left: %q, want one of c", left)
	}
	if _, vlog, err := s.Size(); err != nil || vlog > 64<<10 {
		t.Errorf("the value log holds %d bytes (%v)", vlog, err)
	}
}

// Badger builds the table of a memtable in one buffer, whatever the lengths of the values. A buffer that is too small
// becomes three times as large and stays so, and there are about thirty buffers.
func TestATableOfAMemtableFitsIntoItsBuffer(t *testing.T) {
	opt := badgerOptions(t.TempDir(), Options{memTable: defaultMemTable}, nil)
	lengths := []int{100, 700, 2100, 4200, 5000, partBytes, partBytes + 1, 12_000, 50_000, 100_000, 190_000, 1 << 20, 2 << 20}
	for perBlock := 9; perBlock < 40; perBlock++ {
		lengths = append(lengths, opt.BlockSize/perBlock)
	}
	for _, n := range lengths {
		buffers := z.NewAllocatorPool(1)
		built := table.NewTableBuilder(table.Options{
			TableSize: uint64(opt.BaseTableSize), BlockSize: opt.BlockSize, BloomFalsePositive: opt.BloomFalsePositive,
			Compression: opt.Compression, AllocPool: buffers,
		})
		c := content{parts: map[string]int{}}
		var entries []Entry
		var err error
		full := int(opt.MemTableSize + opt.MemTableSize*15/100) // one request more than the memtable should hold
		for held, seq := 0, uint64(1); held < full; seq++ {
			entries, err = c.add(entries[:0], Options{memTable: defaultMemTable}.parting(), seq, put(fmt.Sprint(n), strings.Repeat("v", n)))
			if err != nil {
				t.Fatal(err)
			}
			c.parts = map[string]int{} // nothing is deleted
			for _, e := range entries {
				if held += len(e.Key) + 8 + len(e.Value); held < full {
					built.Add(y.KeyWithTs(e.Key, e.Version), y.ValueStruct{Value: e.Value}, 0)
				}
			}
		}
		built.Finish()
		built.Close()
		buffer := buffers.Get(1, "")
		if got, most := buffer.Allocated(), uint64(2*tableBytes); got > most {
			t.Errorf("with values of %d bytes the buffer grew to %d bytes, from %d", n, got, most)
		}
		buffer.Release()
		buffers.Release()
	}
}
