package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"tagma/internal/strict"
)

// maxFileBytes bounds what Load reads: far more than 256 replicas and thousands of clients need.
const maxFileBytes = 4 << 20

// Load reads and checks a cluster file. If the file is refused, the error is an *Error.
func Load(path string) (*File, error) {
	data, err := strict.ReadFile(path, maxFileBytes)
	var refused *Error
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read cluster file %s: %w; name another one, or make one with the command `init`", path, os.ErrNotExist)
	case errors.As(err, &refused):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("read cluster file: %w", err)
	}
	return Parse(path, data)
}

// Parse reads and checks the content of a cluster file; name stands for the file in errors.
func Parse(name string, data []byte) (*File, error) {
	d, err := strict.Parse(name, data)
	if err != nil {
		return nil, err
	}
	f := new(File)
	d.Into(f)
	if err := d.Err(); err != nil {
		return nil, err
	}
	inOrder := slices.IsSortedFunc(f.Replicas, byID)
	slices.SortStableFunc(f.Replicas, byID)
	if err := f.validate(); err != nil {
		if inOrder || !strings.HasPrefix(err.Key, "replica[") {
			err.Line = d.LineOf(err.Key)
		}
		return nil, located(name, err)
	}
	return f, nil
}

func byID(a, b Replica) int { return cmp.Compare(a.ID, b.ID) }

// Error says where a refused cluster file is wrong, and how to correct it.
type Error = strict.Error

func refuse(key, format string, args ...any) *Error {
	return &Error{Key: key, Problem: fmt.Sprintf(format, args...)}
}

func located(name string, err *Error) *Error {
	err.File = name
	return err
}

// Save checks the content and writes it. It replaces the file completely or not at all.
func (f *File) Save(path string) (err error) {
	if problem := f.validate(); problem != nil {
		return located(path, problem)
	}
	data, err := f.Encode()
	if err != nil {
		return fmt.Errorf("encode cluster file %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write cluster file %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name()) // the error of the write is reported instead
			err = fmt.Errorf("write cluster file %s: %w", path, err)
		}
	}()
	if err = writeSynced(tmp, data); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Encode returns the content as the text of a file, without checking it.
func (f *File) Encode() ([]byte, error) { return toml.Marshal(f) }

func writeSynced(w *os.File, data []byte) error {
	_, err := w.Write(data)
	return errors.Join(err, w.Chmod(0o644), w.Sync(), w.Close())
}
