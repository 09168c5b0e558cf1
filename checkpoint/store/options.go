package store

import (
	"log/slog"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Options adjust a Store. The zero value is a good choice.
type Options struct {
	// Log receives badger's warnings and errors, and its informational messages at debug level. Nil discards them.
	Log *slog.Logger
	// MinFree is how many free bytes of the file system Open requires and Write leaves; 0 means 64 MiB. Badger reads and
	// writes sparse files through memory maps, so on a full disk the process would be killed instead of receiving an error.
	MinFree int64
	// TreeHeap is how many bytes of the tree over the state are kept in memory; 0 means 128 MiB. The tree takes 115 bytes
	// for each key. The rest of it is in a nameless mapped file beside the state, which the system caches as it can.
	TreeHeap int64

	memTable  int64 // bytes of a memtable; tests lower it, so that little data reaches compaction
	closeFree int64 // free bytes that Close requires; tests raise it
}

const (
	defaultMinFree  = 64 << 20
	defaultTreeHeap = 128 << 20
	defaultMemTable = 3 << 20

	// defaultCloseFree is enough for the tables of all memtables and for the running compactions, for which Close waits.
	defaultCloseFree = 32 << 20

	// tableBytes is the size of a table on every level below 0. Badger builds tables in buffers of twice that size,
	// up to 13 at once in each of two compactions, and keeps eight. A memtable, including what its tables add to it,
	// must fit into one buffer. If it does not, that buffer becomes three times as large and never shrinks. Buffers
	// are reused, so after a while all of them would be that large. Building a table allocates another 3 MiB for a
	// moment, so smaller tables would cost more allocations: with tables of 1 MiB they were a third of all
	// allocations.
	tableBytes = 2 << 20

	// blockBytes is the size of a block of a table. Badger takes 256 more bytes of a buffer for each block, so 64
	// blocks fill one buffer. A value that does not fit into the rest of a block leaves that rest unused, and a value
	// longer than a block takes three times its length. With blocks of 4 KiB, the records of sessions, which contain
	// replies, made buffers seven times as large.
	blockBytes = 64<<10 - 256

	// partBytes is the length of the parts of a long value. Eight fit into a block, so that whatever the values are, at
	// most an eighth of a block stays unused.
	partBytes = 8000

	// maxLevelZero is how many tables level 0 may hold. Badger merges tables within level 0 once four or more
	// qualify. If no lower level has a table in their range, the merge drops deletion markers. But an older table of
	// level 0 that was not merged may still hold the deleted key, which would then reappear. With at most three
	// tables that merge never starts.
	maxLevelZero = 3
)

// badgerOptions are tuned for many small values and little memory: about 4 MiB for each of up to four memtables under
// load. There are no caches, because tables are neither compressed nor encrypted and are read through a memory map.
func badgerOptions(dir string, opt Options, log badger.Logger) badger.Options {
	o := badger.DefaultOptions(dir)
	o.TableSizeMultiplier = 1
	return o.
		WithLogger(log).
		WithMetricsEnabled(false).
		// Every write request is synced before it returns (D5).
		WithSyncWrites(true).
		// "One version" counts only versions at or below the discard timestamp. The newest of them, which a view at that
		// timestamp still sees, is kept, and so is everything above it. A higher number would keep older versions for ever.
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
		// The value log stays empty: see parts.go. A request, and so a part, may fill at most 15 % of a memtable.
		WithValueThreshold(min(1<<20, opt.memTable/8)).
		WithValueLogFileSize(1 << 20).
		WithVerifyValueChecksum(true)
}
