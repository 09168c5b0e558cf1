package node

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"tagma/checkpoint/store"
	"tagma/internal/replica"
)

// data describes, in the form that package replica needs, where a home's data are.
func (h *Home) data(log *slog.Logger) *replica.Home {
	return &replica.Home{
		Config: &h.Config, Life: lifeFile{filepath.Join(h.Dir, LifeFile)},
		Journal: h.path(JournalDir), SegmentBytes: int64(h.Settings.SegmentBytes), Random: random,
		State: stateDir{h.path(StateDir), log}, Log: log,
	}
}

func random() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return binary.LittleEndian.Uint64(b[:])
}

// DataError says that the data directory named in a home's settings cannot be used. It is an error of the configuration.
type DataError struct{ Err error }

// Error is one line with the directory and what to do.
func (e *DataError) Error() string { return e.Err.Error() }

// Unwrap is the system's error.
func (e *DataError) Unwrap() error { return e.Err }

// checkData refuses a data directory that does not exist. If the replica made the directory, the home would look as if
// the replica had never been started. Or the new directory would be hidden when the missing disk is mounted there.
func (h *Home) checkData() error {
	if h.Settings.Data == "" {
		return nil
	}
	settings := filepath.Join(h.Dir, ConfigFile)
	_, err := os.ReadDir(h.Data)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &DataError{fmt.Errorf("the data directory %s of %s does not exist: mount its disk, or create it if this replica was"+
			" never started", h.Data, settings)}
	default:
		return &DataError{fmt.Errorf("the data directory of %s cannot be read: %w: mend its permissions, or name another one",
			settings, err)}
	}
}

// MarkUnborn records in a new home that its replica was never started (D8.2).
func MarkUnborn(home string) error {
	return lifeFile{filepath.Join(home, LifeFile)}.Write(replica.Unborn)
}

// lifeFile is the file named life in a home.
type lifeFile struct{ path string }

// Read returns the content of the file, or "" if there is no file.
func (f lifeFile) Read() (string, error) {
	text, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the life of this replica: %w", err)
	}
	return string(text), nil
}

// Write replaces the content of the file. After a crash it has either the old or the new content.
func (f lifeFile) Write(text string) error {
	if err := replaceFile(f.path, []byte(text+"\n")); err != nil {
		return fmt.Errorf("write the life of this replica to %s: %w", f.path, err)
	}
	return nil
}

// UnfinishedSuffix ends the names of files that are not written completely, either yet or because a crash interrupted
// the writing.
const UnfinishedSuffix = ".new"

// replaceFile replaces the content of a file durably. After a crash, or if the disk is full, the old content is there.
func replaceFile(path string, data []byte) error {
	next := path + UnfinishedSuffix
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// stateDir is the directory of the store.
type stateDir struct {
	dir string
	log *slog.Logger
}

// Exists reports whether the directory of the store has any files.
func (s stateDir) Exists() (bool, error) {
	here, next, err := store.Generations(s.dir)
	return here || next, err
}

// Open opens the store, or makes an empty one.
func (s stateDir) Open() (replica.Store, error) {
	here, next, err := store.Generations(s.dir)
	if err == nil && next && !here { // the former generation was removed
		err = store.Settle(s.dir, true)
	}
	if err != nil {
		return nil, err
	}
	return s.open(s.dir)
}

func (s stateDir) open(dir string) (replica.Store, error) {
	opened, err := store.Open(dir, store.Options{Log: s.log})
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// Aside moves the store away.
func (s stateDir) Aside() error {
	if err := s.Settle(false); err != nil {
		return err
	}
	_, err := store.SetAside(s.dir)
	return err
}

// OpenNext opens the second generation of the store, which a crash has left from a rebuild of the state.
func (s stateDir) OpenNext() (replica.Store, error) {
	here, next, err := store.Generations(s.dir)
	if err != nil || !here || !next {
		return nil, err
	}
	return s.open(store.Next(s.dir))
}

// Settle leaves only one generation.
func (s stateDir) Settle(next bool) error { return store.Settle(s.dir, next) }
