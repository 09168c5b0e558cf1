package store

import (
	"bytes"
	"os"
	"path/filepath"
)

// roomFor returns the size of memtables, at least memTable, with which badger can read back every write-ahead file that a
// crash left: it ends the process on one that holds more than a memtable takes. A file as long as two memtables was begun
// with this size. Another one is of a run with other memtables, or was cut behind its last entry: the entries of a small
// one may take twice as much in memory.
func roomFor(dir string, memTable int64) (int64, error) {
	mems, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return 0, err
	}
	room := memTable
	for _, mem := range mems {
		info, err := os.Stat(mem)
		if err != nil {
			return 0, err
		}
		if info.Size() == 2*memTable {
			continue
		}
		content, err := os.ReadFile(mem)
		if err != nil {
			return 0, err
		}
		room = max(room, 3*int64(len(bytes.TrimRight(content, "\x00"))))
	}
	return room, nil
}
