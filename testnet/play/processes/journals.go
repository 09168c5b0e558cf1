package processes

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"tagma/checkpoint/journal"
	"tagma/internal/node"
	"tagma/internal/replica"
	"tagma/pbft/wire"
)

// readJournals reads the correct replicas' journals and has the monitor compare them with all earlier readings.
func (w *watcher) readJournals() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unread = nil
	for id := range w.seen {
		if !w.seen[id].trusted {
			continue
		}
		var records []wire.Record
		_, err := readJournal(w.local.Home(id), func(e journal.Entry) error {
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

// readJournal reads the journal of a home. A replica that has not voted yet has no journal, or one without a segment,
// because a journal begins with the first record (D8.2).
func readJournal(home string, visit func(journal.Entry) error) (journal.Report, error) {
	report, err := journal.Verify(filepath.Join(Data(home), node.JournalDir), func(_ journal.Segment, e journal.Entry) error {
		return visit(e)
	})
	if lifeOf(home) == replica.Unborn && (errors.Is(err, journal.ErrEmpty) || errors.Is(err, fs.ErrNotExist)) {
		return journal.Report{}, nil
	}
	return report, err
}

// journalSize returns how large a journal is now, and how large it would be if no segment had been deleted, in bytes. It
// counts the configured segment size for each deleted segment, although a few may have been larger.
func journalSize(home string, segment int64) (now, written int64, err error) {
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
