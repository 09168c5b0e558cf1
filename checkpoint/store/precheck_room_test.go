package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tagma/statemachine"
)

// Another version of the program may have run with larger memtables and crashed. Then its write-ahead files hold more
// than one of the present memtables takes, and badger would end the process. The test covers complete files, and
// files that an earlier start has cut.
func TestD5_WriteAheadFilesOfLargerMemtablesAreReadBack(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{memTable: 16 * smallMemTable})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	load(t, s, 0)
	for seq := uint64(1); seq <= 16; seq++ {
		set := statemachine.WriteSet{Seq: seq}
		for i := range 1000 {
			set.Writes = append(set.Writes, hundredBytes(int(seq)*1000+i, seq))
		}
		write(t, s, set)
	}
	root := checkpoint(t, s, 16)
	for _, cut := range []bool{false, true} {
		t.Run(fmt.Sprint("cut ", cut), func(t *testing.T) {
			image := crashImage(t, dir)
			mems, err := filepath.Glob(filepath.Join(image, "*.mem"))
			if err != nil || len(mems) == 0 {
				t.Fatalf("no write-ahead file: %v", err)
			}
			if cut {
				for _, mem := range mems {
					if err := os.Truncate(mem, 3<<20); err != nil {
						t.Fatal(err)
					}
				}
			}
			if again := open(t, image); load(t, again, 16) != root {
				t.Error("the root differs")
			}
		})
	}
}
