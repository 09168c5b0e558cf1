package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/internal/command"
	"tagma/internal/inspect"
	"tagma/internal/node"
	"tagma/pbft/wire"
)

// internal/inspect tests what the command journal shows. These tests are about the command's flags and exit codes.
func TestJournal_AFlawIsAnExitCode(t *testing.T) {
	home := t.TempDir()
	head := wire.EncodeRecord(&wire.Head{Self: 2, Active: true})
	j, err := journal.Create(filepath.Join(home, node.JournalDir), []journal.Entry{{Data: head}}, journal.Options{SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	segment := filepath.Join(home, node.JournalDir, j.Segments()[0].Name)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "journal", segment); !strings.Contains(out, "replica 2") {
		t.Errorf("journal of a segment: %s", out)
	}
	if out := must(t, "journal", home, "--summary"); strings.Contains(out, "replica 2") || lines(out) != 2 {
		t.Errorf("the summary shows more than segments:\n%s", out)
	}
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	data[512+100] ^= 1 // within the anchor
	if err := os.WriteFile(segment, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := tagma(t, "journal", home); o.code != command.Failed || lines(o.stderr) != 1 {
		t.Errorf("a flipped bit: %v", o)
	}
	o := tagma(t, "journal", home, "--json")
	var d inspect.Journal
	if err := json.Unmarshal([]byte(o.stdout), &d); err != nil || o.code != command.Failed || d.Intact {
		t.Errorf("a flipped bit in JSON: %v, %v", err, o)
	}
}
