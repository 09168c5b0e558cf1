package observe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tagma/checkpoint/journal"
	"tagma/internal/node"
	"tagma/internal/replica"
	"tagma/pbft/wire"
	"tagma/testnet/check"
)

// ReadJournals compares what the correct replicas' journals hold now with all that was read before.
func (w *Watcher) ReadJournals() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread = nil
	for _, id := range w.correct {
		var records []wire.Record
		_, err := readJournal(w.cluster.Home(id), func(e journal.Entry) error {
			r, err := wire.DecodeRecord(e.Data)
			records = append(records, r)
			return err
		})
		if err != nil {
			w.unread = fmt.Errorf("journal of replica %d: %w", id, err)
			continue
		}
		w.journals.Read(wire.ReplicaID(id), records)
	}
}

// readJournal reads the journal of a home. A replica that has not voted yet has none, or one without a segment: a journal
// begins with the first record (D8.2).
func readJournal(home string, visit func(journal.Entry) error) (journal.Report, error) {
	report, err := journal.Verify(filepath.Join(home, node.JournalDir), func(_ journal.Segment, e journal.Entry) error {
		return visit(e)
	})
	if isUnborn(home) && (errors.Is(err, journal.ErrEmpty) || errors.Is(err, fs.ErrNotExist)) {
		return journal.Report{}, nil
	}
	return report, err
}

// isUnborn reports whether a home's replica has never written anything (D8.2).
func isUnborn(home string) bool {
	life, err := os.ReadFile(filepath.Join(home, node.LifeFile))
	return err == nil && strings.TrimSpace(string(life)) == replica.Unborn
}

// Judgement is what the journals say, once all replicas have stopped. The error says why one of a correct replica could not
// be read at the last look.
func (w *Watcher) Judgement() (results []check.Result, views int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.journals.Results(), len(w.journals.Views()), w.unread
}

// JournalSize is how large a journal is now, and how large it would be had nothing been deleted: segments are numbered
// from 1 and have one size, a rare larger one apart. Sizes are in bytes.
func JournalSize(home string, segment int64) (now, written int64, err error) {
	r, err := readJournal(home, func(journal.Entry) error { return nil })
	if err != nil || len(r.Segments) == 0 {
		return 0, 0, err
	}
	for _, s := range r.Segments {
		now += s.Bytes
	}
	deleted := int64(r.Segments[0].Number) - 1
	return now, now + deleted*segment, nil
}
