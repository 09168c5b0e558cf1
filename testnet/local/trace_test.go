package local

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"tagma/internal/trace"
)

// Every start of a process writes its own trace. All are merged into one, ordered by time, whatever ended the processes.
func TestTrace_OfAllProcessesIsOne(t *testing.T) {
	parts := t.TempDir()
	c := start(t, Options{Trace: parts, TraceOnly: []string{"process", "sent"}})
	c.Kill(2)
	if err := c.Start(2); err != nil {
		t.Fatal(err)
	}
	if err := waitReady(c); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(patience); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	if err := trace.MergeDir(path, parts, trace.Header{Replicas: 4, Name: "a kill"}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	r, err := trace.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	starts, last := [4]int{}, int64(0)
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at := trace.Of(e)
		if at.At < last-1000 { // events of several threads of one process may be written out of order
			t.Errorf("an event at %d is behind one at %d", at.At, last)
		}
		last = at.At
		switch e := e.(type) {
		case *trace.Process:
			if e.Step == trace.Started {
				starts[at.Replica]++
			}
		case *trace.Sent:
		default:
			t.Errorf("a %s was not asked for", e.Kind())
		}
	}
	if starts != [4]int{1, 1, 2, 1} || r.Header.Replicas != 4 || r.Header.Name != "a kill" {
		t.Errorf("the processes started %v times, header %+v", starts, r.Header)
	}
}
