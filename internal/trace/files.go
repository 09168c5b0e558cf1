package trace

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Write begins a trace file for one that tells of events in their order, and may wait until they are written: a simulated
// run. Only names the kinds of events that are written, all if it is empty. Done ends the file, and tells what kept it from
// being written.
func Write(path string, h Header, only []string) (hear func(Event), done func() error, err error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, fmt.Errorf("write a trace: %w", err)
	}
	w := NewWriter(file, h)
	return Only(only, w.Put), sync.OnceValue(func() error { return errors.Join(w.Flush(), file.Close()) }), nil
}

// Record is Write for a process whose goroutines must not wait. Its file is one of several in a directory that MergeDir
// makes one trace of.
func Record(dir, who string, h Header, only []string) (hear func(Event), done func() error, err error) {
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d%s", who, time.Now().UnixNano(), suffix)))
	if err != nil {
		return nil, nil, fmt.Errorf("write a trace: %w", err)
	}
	r := NewRecorder(file, h)
	return Only(only, r.Put), r.Close, nil
}

const suffix = ".jsonl"

// MergeDir makes one trace of all that were recorded in a directory, and have ended.
func MergeDir(path, dir string, h Header) error {
	parts, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return err
	}
	var readers []io.Reader
	for _, name := range parts {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read a part of the trace: %w", err)
		}
		defer f.Close() //nolint:errcheck // nothing was written
		readers = append(readers, f)
	}
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a trace: %w", err)
	}
	return errors.Join(Merge(out, h, readers), out.Close())
}
