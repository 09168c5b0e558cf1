package store

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4/table"

	"tagma/checkpoint/merkle"
	"tagma/statemachine"
)

// Scrub is one pass over what the disk holds of the newest checkpoint. It checks each file of the store against its
// checksums and each entry against the Merkle tree (K2). The caller decides how much is read at a time, so that the
// disk can do its other work. What is in the system's cache is not read from the disk again.
type Scrub struct {
	seq    uint64
	from   checked // nil if the engine has no files
	files  []uint64
	tree   *merkle.Snapshot
	view   *view
	cursor []byte // the stored key at which to continue; nil before the first
	over   bool

	right  int // entries that agree with the tree
	found  Findings
	closed func()
}

// Findings says what a pass found.
type Findings struct {
	Keys, Bytes uint64   // how much was read
	Files       int      // files whose checksums do not match
	Changed     int      // keys whose value differs from the tree's or cannot be read
	Missing     int      // keys of the tree that the disk does not have
	Extra       int      // keys on the disk that are not in the tree
	First       []string // descriptions of the first findings, for people
}

// maxFirst bounds how many findings are described.
const maxFirst = 8

// Damaged reports whether the disk does not hold the right state.
func (f *Findings) Damaged() bool { return f.Files+f.Changed+f.Missing+f.Extra > 0 }

func (f *Findings) note(format string, args ...any) {
	if len(f.First) < maxFirst {
		f.First = append(f.First, fmt.Sprintf(format, args...))
	}
}

// checked is an engine whose files have checksums.
type checked interface {
	files() []uint64
	// checkFile checks one file and returns how many bytes it read. A file that badger has removed meanwhile is not damaged.
	checkFile(id uint64) (bytes int, damaged error)
}

// Scrub begins a pass. Before the first checkpoint the error wraps statemachine.ErrNotRetained. The caller must Close
// the pass; until then the versions that it reads are not discarded, as with a pin.
func (s *Store) Scrub() (*Scrub, error) {
	s.keeping.Lock()
	newest := uint64(0)
	for _, k := range s.kept {
		newest = max(newest, k.seq)
	}
	s.keeping.Unlock()
	if newest == 0 {
		return nil, fmt.Errorf("scrub the store at %s: %w: there is no checkpoint yet", s.dir, statemachine.ErrNotRetained)
	}
	tree, opened, err := s.Pin(newest)
	if err != nil {
		return nil, fmt.Errorf("scrub the store at %s: %w", s.dir, err)
	}
	p := &Scrub{seq: newest, tree: tree, view: opened.(*view)}
	p.closed = sync.OnceFunc(func() {
		tree.Release()
		opened.Close()
	})
	if p.from, _ = p.view.from.engine.(checked); p.from != nil {
		p.files = p.from.files()
	}
	return p, nil
}

// Seq is the sequence number of the checkpoint that is compared.
func (p *Scrub) Seq() uint64 { return p.seq }

// Step reads about so many bytes and reports whether the pass is over. If badger panics, the store counts as damaged.
func (p *Scrub) Step(bytes int) (over bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			p.found.Files++
			p.found.note("badger panicked: %s", oneLine("%v", []any{panicked}))
			p.over, over = true, true
		}
	}()
	for bytes > 0 && len(p.files) > 0 {
		id := p.files[0]
		p.files = p.files[1:]
		read, damaged := p.from.checkFile(id)
		if damaged != nil {
			p.found.Files++
			p.found.note("%s: %v", table.IDToFilename(id), damaged)
		}
		p.found.Bytes += uint64(read)
		bytes -= read
	}
	if bytes > 0 && !p.over {
		p.over = p.compare(bytes)
	}
	return p.over
}

// Findings returns what was found so far.
func (p *Scrub) Findings() Findings { return p.found }

// Close ends the pass.
func (p *Scrub) Close() { p.closed() }

// compare compares entries with the tree, and reports whether it has reached the last one.
func (p *Scrub) compare(bytes int) (over bool) {
	for item := range p.view.snapshot.Items(keyPrefix, p.cursor) {
		if bytes <= 0 {
			p.cursor = slices.Clone(item.Key())
			return false
		}
		key := item.Key()[1:]
		value, err := readValue(p.view.snapshot, item, nil)
		read := len(key) + len(value)
		bytes -= max(read, 1)
		p.found.Keys++
		p.found.Bytes += uint64(read)
		digest, known := p.tree.Leaf(sha256.Sum256(key))
		switch {
		case !known:
			p.found.Extra++
			p.found.note("key %.64q should not be there", key)
		case err != nil:
			p.found.Changed++
			p.found.note("key %.64q cannot be read: %v", key, err)
		case digest != sha256.Sum256(value):
			p.found.Changed++
			p.found.note("key %.64q has another value", key)
		default:
			p.right++
		}
	}
	if p.found.Missing = p.tree.Len() - p.right - p.found.Changed; p.found.Missing != 0 {
		p.found.note("%d keys are missing", p.found.Missing)
	}
	return true
}

// files implements checked.
func (s *badgerEngine) files() (ids []uint64) {
	for _, t := range s.db.Tables() {
		ids = append(ids, t.ID)
	}
	return ids
}

// checkFile implements checked.
func (s *badgerEngine) checkFile(id uint64) (int, error) {
	bytes, err := checkTable(filepath.Join(s.dir, table.IDToFilename(id)))
	if err != nil && !isSystem(err) && slices.Contains(s.files(), id) {
		return bytes, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return bytes, nil
}
