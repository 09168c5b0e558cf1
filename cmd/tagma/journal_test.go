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

// writeJournal makes the journal of a replica that has voted a little, and returns its home and its segment's path.
func writeJournal(t *testing.T) (home, segment string) {
	t.Helper()
	home = t.TempDir()
	dir := filepath.Join(home, node.JournalDir)
	head := wire.EncodeRecord(&wire.Head{Self: 2, Active: true})
	j, err := journal.Create(dir, []journal.Entry{{Data: head}}, journal.Options{SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for seq := wire.Seq(1); seq <= 3; seq++ {
		vote := wire.EncodeRecord(&wire.Sent{Msg: &wire.Prepare{View: 4, Seq: seq, Digest: wire.Digest{0xab}, Replica: 2}})
		if err := j.Append([]journal.Entry{{Seq: uint64(seq), Data: vote}}); err != nil {
			t.Fatal(err)
		}
	}
	name := j.Segments()[0].Name
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return home, filepath.Join(dir, name)
}

func TestJournal_EveryRecordIsALine(t *testing.T) {
	home, segment := writeJournal(t)
	for _, path := range []string{home, filepath.Dir(segment), segment} {
		out := must(t, "journal", path)
		for _, want := range []string{"turns 1 to 4  4 records  seq up to 3", "replica 2", "intact: 1 segment, 4 records"} {
			if !strings.Contains(out, want) {
				t.Errorf("journal %s does not say %q:\n%s", path, want, out)
			}
		}
		votes := 0
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), "sent prepare v4 s") && strings.Contains(line, " ab000000 ") {
				votes++
			}
		}
		if votes != 3 {
			t.Errorf("journal %s shows %d votes of 3:\n%s", path, votes, out)
		}
	}
	if out := must(t, "journal", home, "--summary"); strings.Contains(out, "prepare") || lines(out) != 2 {
		t.Errorf("the summary shows more than segments:\n%s", out)
	}
}

func TestJournal_JSONIsOneDocument(t *testing.T) {
	home, _ := writeJournal(t)
	var d inspect.Journal
	if err := json.Unmarshal([]byte(must(t, "journal", home, "--json")), &d); err != nil {
		t.Fatal(err)
	}
	if !d.Intact || d.Count != 4 || len(d.Records) != 4 || len(d.Segments) != 1 {
		t.Fatalf("%+v", d)
	}
	if r := d.Records[3]; r.Kind != "sent" || r.Type != "prepare" || *r.View != 4 || *r.Seq != 3 || len(r.Digest) != 64 {
		t.Errorf("the last record is %+v", r)
	}
}

// D8, D9: rot is noticed wherever it is, and named with its place; what is in front of it is still shown.
func TestD9_JournalNamesThePlaceOfRot(t *testing.T) {
	home, segment := writeJournal(t)
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	at := 3*512 + 100 // within the second turn: header, anchor, then a sector each
	data[at] ^= 1
	if err := os.WriteFile(segment, data, 0o600); err != nil {
		t.Fatal(err)
	}
	o := tagma(t, "journal", home)
	if o.code != command.Failed || lines(o.stderr) != 1 || !strings.Contains(o.stderr, "sector 3 (offset 1536)") {
		t.Errorf("a flipped bit: %v", o)
	}
	if strings.Contains(o.stdout, "intact") {
		t.Errorf("a damaged journal is called intact: %v", o)
	}
	o = tagma(t, "journal", home, "--json")
	var d inspect.Journal
	if err := json.Unmarshal([]byte(o.stdout), &d); err != nil || o.code != command.Failed {
		t.Fatalf("%v: %v", err, o)
	}
	if d.Intact || d.Damage == nil || d.Damage.Sector != 3 || d.Damage.File != segment {
		t.Errorf("the damage is given as %+v", d.Damage)
	}
}
