package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tagma/internal/node"
	"tagma/internal/trace"
)

// TraceDir is where a traced cluster's processes write what happens in them, below its directory: a file for each start.
const TraceDir = "trace"

// tracing begins the trace of a replica's process in a directory. It is whole once done has returned.
func tracing(dir string, known *node.Home, only []string, opt *node.Options) (done func() error, err error) {
	r, err := newTrace(dir, fmt.Sprintf("replica%d", known.Config.Self), len(known.Config.Members))
	if err != nil {
		return nil, err
	}
	opt.Trace = trace.Only(only, r.Put)
	return r.Close, nil
}

// NewTrace begins a trace beside those of a traced cluster's replicas: WriteTrace merges it with them.
func (c *Cluster) NewTrace(who string) (*trace.Recorder, error) {
	return newTrace(filepath.Join(c.Dir, TraceDir), who, len(c.File.Replicas))
}

func newTrace(dir, who string, replicas int) (*trace.Recorder, error) {
	file, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.jsonl", who, time.Now().UnixNano())))
	if err != nil {
		return nil, fmt.Errorf("begin a trace: %w", err)
	}
	return trace.NewRecorder(file, trace.Header{Engine: "processes", Replicas: replicas}), nil
}

// WriteTrace makes one trace of all that a cluster's processes have written, which must have ended.
func (c *Cluster) WriteTrace(path string, h trace.Header) (err error) {
	parts, err := filepath.Glob(filepath.Join(c.Dir, TraceDir, "*.jsonl"))
	if err != nil {
		return err
	}
	var readers []io.Reader
	for _, name := range parts {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read a replica's trace: %w", err)
		}
		defer f.Close() //nolint:errcheck // nothing was written
		readers = append(readers, f)
	}
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the trace: %w", err)
	}
	h.Engine, h.Replicas = "processes", len(c.File.Replicas)
	return errors.Join(trace.Merge(out, h, readers), out.Close())
}
