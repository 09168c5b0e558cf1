package pbft

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"tagma/pbft/wire"
)

var update = flag.Bool("update", false, "write the golden traces of testdata anew")

// golden compares a trace with testdata/name.txt. The file begins with the story.
func golden(t *testing.T, c *cluster, name, story string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := story + c.trace.lines.String()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./pbft -update", err)
	}
	if got != string(want) {
		t.Fatalf("the trace differs from %s; if the new one is right, refresh with -update. It begins to differ at:\n%s",
			path, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	start := max(0, i-300)
	return "…" + got[start:min(len(got), i+200)]
}

// traced is a cluster whose events are written down from here on.
func traced(t *testing.T, n int) *cluster {
	c := begin(t, n)
	c.trace = &trace{at: c.now.Milliseconds()}
	return c
}

// cut keeps messages of these types from the wire.
func cut(types ...wire.Type) func(*packet) bool {
	return func(p *packet) bool {
		for _, t := range types {
			if wire.TypeOf(p.msg) == t {
				return false
			}
		}
		return true
	}
}
