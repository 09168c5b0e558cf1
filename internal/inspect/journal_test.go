package inspect

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/pbft/wire"
)

// writeJournal makes the journal of a replica that has signed a few votes. It returns the replica's home and the path
// of the journal's segment.
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

// printed returns a journal as it is printed for people.
func printed(t *testing.T, path string, summary bool) (*Journal, string) {
	t.Helper()
	d, err := ReadJournal(path, summary)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := d.Print(&out); err != nil {
		t.Fatal(err)
	}
	return d, out.String()
}

func TestJournal_EveryRecordIsALine(t *testing.T) {
	home, segment := writeJournal(t)
	for _, path := range []string{home, filepath.Dir(segment), segment} {
		d, out := printed(t, path, false)
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
		if votes != 3 || d.Err() != nil {
			t.Errorf("journal %s shows %d votes of 3, %v:\n%s", path, votes, d.Err(), out)
		}
	}
	if _, out := printed(t, home, true); strings.Contains(out, "prepare") || strings.Count(out, "\n") != 2 {
		t.Errorf("the summary shows more than segments:\n%s", out)
	}
}

func TestJournal_ItsJSONHoldsEveryRecord(t *testing.T) {
	home, _ := writeJournal(t)
	d, _ := printed(t, home, false)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var again Journal
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !again.Intact || again.Count != 4 || len(again.Records) != 4 || len(again.Segments) != 1 {
		t.Fatalf("%+v", again)
	}
	if r := again.Records[3]; r.Kind != "sent" || r.Type != "prepare" || *r.View != 4 || *r.Seq != 3 || len(r.Digest) != 64 {
		t.Errorf("the last record is %+v", r)
	}
}

// D8, D9: rot anywhere in a journal is found, and its place is named. The records before it are still printed.
func TestD9_JournalNamesThePlaceOfRot(t *testing.T) {
	home, segment := writeJournal(t)
	data, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	data[3*512+100] ^= 1 // this is in the second turn, because header, anchor and each turn take one sector
	if err := os.WriteFile(segment, data, 0o600); err != nil {
		t.Fatal(err)
	}
	d, out := printed(t, home, false)
	if d.Err() == nil || !strings.Contains(d.Err().Error(), "sector 3 (offset 1536)") || strings.Contains(out, "intact") {
		t.Errorf("a flipped bit: %v\n%s", d.Err(), out)
	}
	if d.Intact || d.Damage == nil || d.Damage.Sector != 3 || d.Damage.File != segment {
		t.Errorf("the damage is given as %+v", d.Damage)
	}
}

func TestJournal_WhatIsNoHomeIsUnusable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(t.TempDir(), "nothing")} {
		if _, err := ReadJournal(path, false); !command.IsUnusable(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
