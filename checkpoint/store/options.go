package store

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Options adjust a Store. The zero value is a good choice.
type Options struct {
	// Log receives badger's warnings and errors, and its chatter at debug level. Nil is silence.
	Log *slog.Logger
	// MinFree is how many bytes Open asks for and Write leaves free on the file system; 0 means 64 MiB. Badger reads and
	// writes sparse files through memory maps: on a full disk that kills the process instead of returning an error.
	MinFree int64
	// TreeHeap is how many bytes of the tree over the state lie in memory, 115 for each key; 0 means 128 MiB. What is more
	// lies in a file without a name beside the state, and in memory as far as the system has it to spare.
	TreeHeap int64

	memTable  int64 // Bytes of a memtable; tests shrink it so that little data reaches compaction.
	closeFree int64 // What Close asks for; tests raise it.
}

const (
	defaultMinFree  = 64 << 20
	defaultTreeHeap = 128 << 20
	defaultMemTable = 3 << 20

	// defaultCloseFree is room for the tables of all memtables, and for the compactions under way, which Close waits for.
	defaultCloseFree = 32 << 20

	// tableBytes is the size of a table on every level below 0. Badger builds tables in buffers of twice that, up to 13
	// at once in each of two compactions, and keeps eight. A memtable, with what its tables add to it, must fit into one:
	// else it triples for good, and as they are passed around all of them do. Each table that is built costs another 3 MiB
	// for a moment, so smaller ones keep the collector busy: with 1 MiB that was a third of all that was allocated.
	tableBytes = 2 << 20

	// blockBytes is the size of a block of a table. Badger takes 256 bytes more for each from such a buffer, so 64 of them
	// fill one. What does not fit into the rest of a block leaves that rest unused, and a value that is longer than a block
	// takes three times its length: with blocks of 4 KiB the records of sessions, which hold replies, made buffers grow
	// sevenfold.
	blockBytes = 64<<10 - 256

	// partBytes is how long the parts of a long value are: eight fit into a block, so that an eighth of one stays unused at
	// most, whatever the values are.
	partBytes = 8000

	// maxLevelZero is how many tables level 0 may hold. Badger merges tables inside level 0 once four or more qualify,
	// and when nothing lies below their range it then drops deletion markers, although an older table left out of the merge
	// may still hold what they delete: the key would come back. With at most three tables that merge never starts.
	maxLevelZero = 3
)

// badgerOptions are tuned for many small values and a small resident set: about 4 MiB for each of up to four memtables
// under load, and no caches, because tables are neither compressed nor encrypted and are read through a memory map.
func badgerOptions(dir string, opt Options, log badger.Logger) badger.Options {
	o := badger.DefaultOptions(dir)
	o.TableSizeMultiplier = 1
	return o.
		WithLogger(log).
		WithMetricsEnabled(false).
		// Every write request is synced before it returns (D5).
		WithSyncWrites(true).
		// "One version" counts only versions at or below the discard timestamp: the newest of them, which a view at that
		// timestamp still sees, is kept, and so is everything above. A higher number would keep older ones for ever.
		WithNumVersionsToKeep(1).
		WithDetectConflicts(false).
		WithMemTableSize(opt.memTable).
		WithNumMemtables(3).
		WithBaseTableSize(tableBytes).
		WithBlockSize(blockBytes).
		WithNumLevelZeroTables(maxLevelZero - 1).
		WithNumLevelZeroTablesStall(maxLevelZero).
		WithNumCompactors(2).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		// The value log stays empty: see parts.go. A request, and so a part, may fill 15 % of a memtable.
		WithValueThreshold(min(1<<20, opt.memTable/8)).
		WithValueLogFileSize(1 << 20).
		WithVerifyValueChecksum(true)
}
