package replica

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"tagma/checkpoint/journal"
)

var errCrashed = errors.New("the machine has crashed")

// machine is a file system in memory (journal.FS) that counts every call that changes something durable. The calls for
// the life file and for the store's directory count, too. So a test can stop the machine at each of these calls.
type machine struct {
	names, durable map[string]*inode
	locked         map[string]bool
	calls          int
	stopAt         int // the call from which on everything fails; 0: none
}

type inode struct {
	dir          bool
	data, synced []byte
}

func newMachine() *machine {
	m := &machine{names: map[string]*inode{"data": {dir: true}}, locked: map[string]bool{}}
	m.sync()
	return m
}

func (m *machine) step() error {
	m.calls++
	if m.stopAt > 0 && m.calls >= m.stopAt {
		return errCrashed
	}
	return nil
}

// crash ends the process. If the power fails as well, everything that was not synced is lost.
func (m *machine) crash(power bool) {
	m.locked, m.stopAt = map[string]bool{}, 0
	if !power {
		return
	}
	m.names = maps.Clone(m.durable)
	for _, n := range m.names {
		n.data = slices.Clone(n.synced)
	}
}

// copy returns a copy of the files below a directory. put replaces the files there by such a copy.
func (m *machine) copy(dir string) map[string]*inode {
	out := map[string]*inode{}
	for path, n := range m.names {
		if path == dir || strings.HasPrefix(path, dir+"/") {
			out[path] = &inode{dir: n.dir, data: slices.Clone(n.data), synced: slices.Clone(n.synced)}
		}
	}
	return out
}

func (m *machine) put(dir string, files map[string]*inode) {
	for _, names := range []map[string]*inode{m.names, m.durable} {
		maps.DeleteFunc(names, func(path string, _ *inode) bool { return path == dir || strings.HasPrefix(path, dir+"/") })
	}
	for path, n := range files {
		n = &inode{dir: n.dir, data: slices.Clone(n.data), synced: slices.Clone(n.synced)}
		m.names[path], m.durable[path] = n, n
	}
}

// sync makes everything durable.
func (m *machine) sync() {
	for _, n := range m.names {
		n.synced = slices.Clone(n.data)
	}
	m.durable = maps.Clone(m.names)
}

func (m *machine) MkdirAll(dir string) error {
	if err := m.step(); err != nil {
		return err
	}
	if m.names[dir] == nil {
		m.names[dir] = &inode{dir: true}
		m.durable[dir] = m.names[dir]
	}
	return nil
}

func (m *machine) ReadDir(dir string) (names []string, err error) {
	if m.names[dir] == nil {
		return nil, fs.ErrNotExist
	}
	for _, path := range slices.Sorted(maps.Keys(m.names)) {
		if filepath.Dir(path) == dir {
			names = append(names, filepath.Base(path))
		}
	}
	return names, nil
}

func (m *machine) Create(path string) (journal.File, error) {
	if m.names[path] != nil {
		return nil, fs.ErrExist
	}
	if err := m.step(); err != nil {
		return nil, err
	}
	m.names[path] = &inode{}
	return memFile{m, m.names[path]}, nil
}

func (m *machine) Open(path string, _ bool) (journal.File, error) {
	if m.names[path] == nil {
		return nil, fs.ErrNotExist
	}
	return memFile{m, m.names[path]}, nil
}

func (m *machine) Remove(path string) error {
	if m.names[path] == nil {
		return fs.ErrNotExist
	}
	if err := m.step(); err != nil {
		return err
	}
	delete(m.names, path)
	return nil
}

func (m *machine) RemoveAll(path string) error {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(m.copy(path)))) {
		if err := m.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

func (m *machine) Rename(from, to string) error {
	if m.names[from] == nil {
		return fs.ErrNotExist
	}
	if err := m.step(); err != nil {
		return err
	}
	for path, n := range maps.Clone(m.names) {
		if rest, is := strings.CutPrefix(path, from); is && (rest == "" || rest[0] == '/') {
			delete(m.names, path)
			m.names[to+rest] = n
		}
	}
	return nil
}

func (m *machine) SyncDir(string) error {
	if err := m.step(); err != nil {
		return err
	}
	m.durable = maps.Clone(m.names)
	return nil
}

func (m *machine) Lock(dir string) (io.Closer, error) {
	switch {
	case m.names[dir] == nil:
		return nil, fs.ErrNotExist
	case m.locked[dir]:
		return nil, journal.ErrInUse
	}
	m.locked[dir] = true
	return unlock(func() { delete(m.locked, dir) }), nil
}

type unlock func()

func (u unlock) Close() error { u(); return nil }

type memFile struct {
	m *machine
	n *inode
}

func (f memFile) Close() error         { return nil }
func (f memFile) Size() (int64, error) { return int64(len(f.n.data)), nil }

func (f memFile) ReadAt(b []byte, at int64) (int, error) {
	if at >= int64(len(f.n.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.n.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f memFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.m.step(); err != nil {
		return 0, err
	}
	if end := int(at) + len(b); end > len(f.n.data) {
		f.n.data = append(f.n.data, make([]byte, end-len(f.n.data))...)
	}
	return copy(f.n.data[at:], b), nil
}

func (f memFile) Sync() error {
	if err := f.m.step(); err != nil {
		return err
	}
	f.n.synced = slices.Clone(f.n.data)
	return nil
}
