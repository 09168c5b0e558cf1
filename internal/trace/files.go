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

// Write begins a trace file for a simulated run, which passes events in their order and may wait until they are written.
// The argument only lists the kinds of events to write; if it is empty, all are written. The returned function done ends
// the file, and returns the first error of writing it.
func Write(path string, h Header, only []string) (hear func(Event), done func() error, err error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, fmt.Errorf("write a trace: %w", err)
	}
	w := NewWriter(file, h)
	return Only(only, w.Put), sync.OnceValue(func() error { return errors.Join(w.Flush(), file.Close()) }), nil
}

// Record does the same as Write, for a process whose goroutines must not wait. Its file is one of several in a
// directory, which MergeDir combines into one trace.
func Record(dir, who string, h Header, only []string) (hear func(Event), done func() error, err error) {
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d%s", who, time.Now().UnixNano(), suffix)))
	if err != nil {
		return nil, nil, fmt.Errorf("write a trace: %w", err)
	}
	r := NewRecorder(file, h)
	return Only(only, r.Put), r.Close, nil
}

const suffix = ".jsonl"

// MergeDir combines all finished traces in a directory into one.
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
		defer f.Close() //nolint:errcheck // the file was only read
		readers = append(readers, f)
	}
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write a trace: %w", err)
	}
	return errors.Join(Merge(out, h, readers), out.Close())
}
