package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tagma/checkpoint/journal"
	"tagma/internal/command"
	"tagma/internal/node"
)

func newJournal() *cobra.Command {
	var asJSON, summary bool
	cmd := &cobra.Command{
		Use:   "journal FILE|HOME",
		Short: "Print and verify a replica's journal",
		Long: `Read the journal of the replica whose home HOME is, check every sector of it, and print one line for each record. FILE
prints one segment of a journal; what is around it is checked too. It changes and locks nothing, and works while the
replica runs.

A torn turn at the end is what a crash leaves behind and is in order: nothing of it was sent. Anything else that does not
check out is damage: exit code 1 and the place.`,
		Example: `  tagma journal demo/replica0
  tagma journal demo/replica0 --summary
  tagma journal demo/replica0/journal/0000000000000001.segment --json`,
		Args: command.Takes("FILE|HOME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, only, err := journalAt(args[0])
			if err != nil {
				return err
			}
			d := readJournal(dir, only, summary)
			if asJSON {
				err = command.PrintJSON(cmd.OutOrStdout(), d)
			} else {
				err = d.print(cmd.OutOrStdout())
			}
			return errors.Join(d.err, err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&summary, "summary", false, "print segments only, not records")
	return cmd
}

// segmentSuffix ends the name of a segment's file.
const segmentSuffix = ".segment"

// journalAt finds the journal's directory and, when a single segment is asked for, its name.
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

// journalDocument is a journal as it is printed.
type journalDocument struct {
	Dir      string         `json:"dir"`
	Segments []segmentEntry `json:"segments"`
	Records  []recordEntry  `json:"records,omitempty"`
	Count    int            `json:"record_count"`
	Bytes    int64          `json:"record_bytes"`
	TornTurn uint64         `json:"torn_turn,omitempty"`
	Intact   bool           `json:"intact"`
	Damage   *damage        `json:"damage,omitempty"`
	Error    string         `json:"error,omitempty"`

	err error
}

type segmentEntry struct {
	Name      string `json:"name"`
	Bytes     int64  `json:"bytes"`
	FirstTurn uint64 `json:"first_turn"`
	LastTurn  uint64 `json:"last_turn"`
	MaxSeq    uint64 `json:"max_seq"`
	Entries   int    `json:"records"`
}

// damage is where a journal is rotten.
type damage struct {
	File   string `json:"file"`
	Sector int64  `json:"sector"`
	Offset int64  `json:"offset"`
	Why    string `json:"why"`
}

// readJournal verifies a journal and decodes its records, of one segment if only is not empty.
func readJournal(dir, only string, summary bool) *journalDocument {
	d := &journalDocument{Dir: dir, Segments: []segmentEntry{}}
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
			d.Segments = append(d.Segments, segmentEntry{s.Name, s.Bytes, s.FirstTurn, s.LastTurn, s.MaxSeq, s.Entries})
		}
	}
	if errors.Is(err, journal.ErrEmpty) || errors.Is(err, os.ErrNotExist) && len(report.Segments) == 0 {
		err = fmt.Errorf("there is no journal in %s; a replica makes one at its first start", dir)
	}
	var rot *journal.RotError
	if errors.As(err, &rot) {
		d.Damage = &damage{rot.File, rot.Sector, rot.Offset, rot.Why}
	}
	if d.err, d.Intact = err, err == nil; err != nil {
		d.Error = command.OneLine(err.Error())
	}
	return d
}
