package inspect

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tagma/checkpoint/journal"
	"tagma/internal/command"
	"tagma/internal/node"
	"tagma/internal/terminal"
)

// segmentSuffix ends the name of a segment's file.
const segmentSuffix = ".segment"

// journalAt finds the journal's directory and, if path is a single segment, the segment's name.
func journalAt(path string) (dir, only string, err error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		if !strings.HasSuffix(path, segmentSuffix) {
			return "", "", command.Unusablef("%s is no segment of a journal: their names end in %s", path, segmentSuffix)
		}
		return filepath.Dir(path), filepath.Base(path), nil
	}
	if segments, _ := filepath.Glob(filepath.Join(path, "*"+segmentSuffix)); len(segments) > 0 {
		return path, "", nil
	}
	dir, err = dataPath(path, node.JournalDir)
	return dir, "", err
}

// Journal is a journal, or one segment of it, that was read and verified. Its JSON is what `tagma journal --json` prints.
type Journal struct {
	Dir      string    `json:"dir"`
	Segments []Segment `json:"segments"`
	Records  []Record  `json:"records,omitempty"`
	Count    int       `json:"record_count"`
	Bytes    int64     `json:"record_bytes"`
	TornTurn uint64    `json:"torn_turn,omitempty"`
	Intact   bool      `json:"intact"`
	Damage   *Damage   `json:"damage,omitempty"`
	Error    string    `json:"error,omitempty"`

	err error
}

// Segment is one file of a journal.
type Segment struct {
	Name      string `json:"name"`
	Bytes     int64  `json:"bytes"`
	FirstTurn uint64 `json:"first_turn"`
	LastTurn  uint64 `json:"last_turn"`
	MaxSeq    uint64 `json:"max_seq"`
	Entries   int    `json:"records"`
}

// Damage says where a journal is damaged.
type Damage struct {
	File   string `json:"file"`
	Sector int64  `json:"sector"`
	Offset int64  `json:"offset"`
	Why    string `json:"why"`
}

// ReadJournal verifies the journal of a home, of a copy of its directory, or a single segment, and decodes the
// records unless only a summary is wanted. It returns an error only if the path cannot be read. What is wrong with
// the journal is in Err.
func ReadJournal(path string, summary bool) (*Journal, error) {
	dir, only, err := journalAt(path)
	if err != nil {
		return nil, err
	}
	d := &Journal{Dir: dir, Segments: []Segment{}}
	report, err := journal.Verify(dir, func(s journal.Segment, e journal.Entry) error {
		if only != "" && s.Name != only {
			return nil
		}
		d.Count++
		d.Bytes += int64(len(e.Data))
		record, err := describe(e.Data)
		if err != nil {
			return fmt.Errorf("record %d of %s: %w; was it written by another version?", d.Count, s.Name, err)
		}
		if !summary {
			record.Segment = s.Name
			d.Records = append(d.Records, record)
		}
		return nil
	})
	d.TornTurn = report.TornTurn
	for _, s := range report.Segments {
		if only == "" || s.Name == only {
			d.Segments = append(d.Segments, Segment{s.Name, s.Bytes, s.FirstTurn, s.LastTurn, s.MaxSeq, s.Entries})
		}
	}
	if errors.Is(err, journal.ErrEmpty) || errors.Is(err, os.ErrNotExist) && len(report.Segments) == 0 {
		err = fmt.Errorf("there is no journal in %s; a replica makes one at its first start", dir)
	}
	var rot *journal.RotError
	if errors.As(err, &rot) {
		d.Damage = &Damage{rot.File, rot.Sector, rot.Offset, rot.Why}
	}
	if d.err, d.Intact = err, err == nil; err != nil {
		d.Error = command.OneLine(err.Error())
	}
	return d, nil
}

// Err returns what is wrong with the journal, or nil if it is intact.
func (d *Journal) Err() error { return d.err }

// Print writes a journal for people: segments with their records, and a summary unless it is damaged.
func (d *Journal) Print(w io.Writer) error {
	out := bufio.NewWriter(w) // it keeps its first error, which Flush returns
	next := 0
	for _, s := range d.Segments {
		fmt.Fprintf(out, "segment %s  %s  turns %d to %d  %s  seq up to %d\n",
			s.Name, terminal.Bytes(s.Bytes), s.FirstTurn, s.LastTurn, terminal.Count(s.Entries, "record"), s.MaxSeq)
		for ; next < len(d.Records) && d.Records[next].Segment == s.Name; next++ {
			fmt.Fprintf(out, "  %s\n", d.Records[next].line())
		}
	}
	if d.err == nil {
		fmt.Fprintf(out, "intact: %s, %s, %s\n", terminal.Count(len(d.Segments), "segment"), terminal.Count(d.Count, "record"), terminal.Bytes(d.Bytes))
	}
	if d.TornTurn != 0 {
		fmt.Fprintf(out, "turn %d is unfinished: a crash left it so, or the replica is writing it now; nothing of it was sent\n", d.TornTurn)
	}
	return out.Flush()
}

// dataPath returns a directory of a replica's data, such as its journal. The given path is a home, whose settings may
// say that the data are elsewhere, or a copy of the data without key and settings.
func dataPath(home, name string) (string, error) {
	info, err := os.Stat(home)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", command.Unusablef("there is no %s; name a replica's home, such as demo/replica0", home)
	case err != nil:
		return "", command.NotUsable(err)
	case !info.IsDir():
		return "", command.Unusablef("%s is no directory; name a replica's home, such as demo/replica0", home)
	}
	at := filepath.Join(home, name)
	if _, err := os.Stat(at); err == nil {
		return at, nil
	}
	h, err := node.ReadHome(home)
	if err != nil {
		return "", command.NotUsable(err)
	}
	return filepath.Join(h.Data, name), nil
}
