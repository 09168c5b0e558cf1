package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/dgraph-io/badger/v4"
)

// badgerEngine is the engine on a real disk.
type badgerEngine struct {
	dir string
	opt Options
	db  *badger.DB
	log *badgerLog
}

// open opens badger after it has made the checks that badger does not make.
func (s *badgerEngine) open() error {
	if info, err := os.Stat(s.dir); err == nil && !info.IsDir() {
		return errors.New("it is not a directory; name another one or move the file away")
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	release, err := lockDir(s.dir)
	if err != nil {
		return err
	}
	levelZero, left, err := precheck(s.dir)
	if len(left) > 0 {
		s.log.Warningf("files of the state are damaged: tables are left out, and a MANIFEST is made anew: %v", left)
	}
	if err := errors.Join(err, release()); err != nil {
		return err
	}
	if err := s.checkSpace(0); err != nil { // Open moves what a crash left into tables at once, through memory maps
		return err
	}
	room, err := roomFor(s.dir, s.opt.memTable)
	if err != nil {
		return err
	}
	if levelZero > maxLevelZero || room > s.opt.memTable {
		if err := s.drain(room); err != nil {
			return err
		}
	}
	s.db, err = openBadger(badgerOptions(s.dir, s.opt, s.log))
	if err != nil {
		return err
	}
	if err := s.log.failure(); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrDamaged, err), s.db.Close())
	}
	return nil
}

// drain moves the contents of write-ahead files into tables, with memtables of the given size. Then, with the
// compactors off, it moves the tables of level 0 to lower levels. It is needed because Close flushes every memtable
// however many tables level 0 has, so a store that was closed under load may have more than maxLevelZero there.
func (s *badgerEngine) drain(memTable int64) error {
	opt := s.opt
	opt.memTable = memTable
	db, err := openBadger(badgerOptions(s.dir, opt, s.log).WithNumCompactors(0).WithNumLevelZeroTablesStall(1 << 20))
	if err != nil {
		return err
	}
	return errors.Join(db.Flatten(1), db.Close())
}

// openBadger opens badger, and turns badger's errors and panics into errors of this package.
func openBadger(opt badger.Options) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, fmt.Errorf("%w: badger panicked: %s", ErrDamaged, oneLine("%v", []any{p}))
		}
	}()
	db, err = badger.OpenManaged(opt)
	var errno syscall.Errno
	switch {
	case err == nil:
		return db, nil
	case strings.Contains(err.Error(), "Another process is using this Badger database"):
		return nil, ErrLocked
	case errors.As(err, &errno) && errno != syscall.ENOENT:
		return nil, err // The system refused: no permission, no space, or no file descriptors.
	}
	return nil, fmt.Errorf("%w: %s", ErrDamaged, oneLine("%v", []any{err}))
}

// MaxVersion implements Engine.
func (s *badgerEngine) MaxVersion() uint64 { return s.db.MaxVersion() }

// Discard implements Engine.
func (s *badgerEngine) Discard(below uint64) { s.db.SetDiscardTs(below) }

// Failure implements Engine.
func (s *badgerEngine) Failure() error { return s.log.failure() }

// Close implements Engine. Closing badger moves its memtables to tables through memory maps, which kills the process
// if the disk has no room for the tables. In that case Close leaves badger open and locked until the process ends.
// Nothing is lost, because every write is synced. The next start needs more room anyway.
func (s *badgerEngine) Close() error {
	if err := s.checkFree(0, s.opt.closeFree); err != nil {
		return err
	}
	return s.db.Close()
}

// Write implements Engine, in one request with one sync, unless the write exceeds what badger takes at once. Such a
// write is split, and Flush waits until every part is synced.
func (s *badgerEngine) Write(entries []Entry) error {
	size := 0
	for i := range entries {
		size += len(entries[i].Key) + len(entries[i].Value)
	}
	if err := s.checkSpace(int64(size)); err != nil {
		return err
	}
	batch := s.db.NewManagedWriteBatch()
	defer batch.Cancel()
	for i := range entries {
		e := &entries[i]
		var err error
		if e.Delete {
			err = batch.DeleteAt(e.Key, e.Version)
		} else {
			err = batch.SetEntryAt(badger.NewEntry(e.Key, e.Value).WithMeta(e.Meta), e.Version)
		}
		if err != nil {
			return fmt.Errorf("key %.64q: %w", e.Key[1:], err)
		}
	}
	if err := batch.Flush(); err != nil {
		return err
	}
	return s.log.failure()
}

// checkSpace refuses a write that would use up part of the reserve, which badger needs to flush and compact.
func (s *badgerEngine) checkSpace(size int64) error { return s.checkFree(size, s.opt.MinFree) }

// checkFree refuses a write of so many bytes if fewer free bytes would be left than must remain.
func (s *badgerEngine) checkFree(size, remain int64) error {
	free, err := FreeBytes(s.dir)
	if err != nil {
		return err
	}
	if free-size < remain {
		return fmt.Errorf("%w: %d bytes are free, %d must remain", ErrDiskFull, free, remain)
	}
	return nil
}

// Sync syncs badger's write-ahead files. Every write of this process was synced, but records that Open found in these
// files may be in the system's cache only, if an earlier process wrote them and ended before its sync. Tables are
// synced before they replace such a file.
func (s *badgerEngine) Sync() error {
	mems, err := filepath.Glob(filepath.Join(s.dir, "*.mem"))
	if err != nil {
		return err
	}
	for _, mem := range mems {
		if err := syncFile(mem); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return syncFile(s.dir)
}

// At implements Engine.
func (s *badgerEngine) At(version uint64) Snapshot {
	return badgerSnapshot{s.db.NewTransactionAt(version, false)}
}

type badgerSnapshot struct{ *badger.Txn }

// Get implements Snapshot.
func (s badgerSnapshot) Get(key []byte) (Item, error) {
	item, err := s.Txn.Get(key)
	switch {
	case err == nil:
		return item, nil
	case errors.Is(err, badger.ErrKeyNotFound):
		return nil, nil
	default:
		return nil, err
	}
}

// Items implements Snapshot. Badger's iterators silently skip what they cannot read. It does not prefetch values:
// they are stored beside their keys, and badger would start a goroutine for each.
func (s badgerSnapshot) Items(prefix byte, start []byte) iter.Seq[Item] {
	return func(yield func(Item) bool) {
		opt := badger.DefaultIteratorOptions
		opt.PrefetchValues = false
		opt.Prefix = []byte{prefix}
		it := s.NewIterator(opt)
		defer it.Close()
		for it.Seek(start); it.Valid(); it.Next() {
			if !yield(it.Item()) {
				return
			}
		}
	}
}

// badgerLog passes badger's log on, and keeps the first error. Badger only logs some failures that must stop us: a value
// log that could not be synced, a table left out at Open because its checksum is wrong, a memtable it cannot flush.
type badgerLog struct {
	to    *slog.Logger
	first atomic.Pointer[error]
}

// failure returns the first error that badger logged, or nil.
func (l *badgerLog) failure() error {
	if err := l.first.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *badgerLog) Errorf(format string, args ...any) {
	err := errors.New(oneLine(format, args))
	l.first.CompareAndSwap(nil, &err)
	l.log(slog.LevelError, format, args)
}

func (l *badgerLog) Warningf(format string, args ...any) { l.log(slog.LevelWarn, format, args) }
func (l *badgerLog) Infof(format string, args ...any)    { l.log(slog.LevelDebug, format, args) }
func (l *badgerLog) Debugf(string, ...any)               {}

func (l *badgerLog) log(level slog.Level, format string, args []any) {
	if l.to != nil && l.to.Enabled(context.Background(), level) {
		l.to.Log(context.Background(), level, "badger: "+oneLine(format, args))
	}
}

func oneLine(format string, args []any) string {
	return strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
}
