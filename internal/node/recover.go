package node

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft"
)

// disk is a home's data after the checks of a start: what the replica goes on from.
type disk struct {
	journal *journal.Journal
	store   *store.Store
	log     []pbft.Record
	applied pbft.Applied
	replica *pbft.Replica
}

// ErrUntrusted says that the disk cannot be trusted to hold every vote this replica has sent (D8, first version): it must
// not vote. The text says what was found.
var ErrUntrusted = errors.New("this replica must not vote on what its disk holds")

// openDisk opens journal and store and finds the newest checkpoint that both agree on (D5). The journal comes first: a
// store without one shows that a journal is lost.
func openDisk(h *Home, log *slog.Logger) (d *disk, err error) {
	d = &disk{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
			d = nil
		}
	}()
	if err := d.openJournal(h, log); err != nil {
		return d, err
	}
	if d.store, err = store.Open(h.path(StateDir), store.Options{Log: log}); err != nil {
		return d, err
	}
	return d, d.verify(h)
}

func (d *disk) openJournal(h *Home, log *slog.Logger) error {
	options := journal.Options{SegmentBytes: int64(h.Settings.SegmentBytes), Logger: log}
	j, found, err := journal.Open(h.path(JournalDir), options)
	switch {
	case errors.Is(err, journal.ErrEmpty):
		return d.begin(h, options)
	case errors.Is(err, journal.ErrRot), errors.Is(err, journal.ErrMissing):
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	case err != nil:
		return err
	}
	d.journal = j
	d.log, err = records(found)
	return err
}

// begin makes the journal of a first start. A store shows that there was one, and that it is lost.
func (d *disk) begin(h *Home, options journal.Options) error {
	switch held, err := os.ReadDir(h.path(StateDir)); {
	case err == nil && len(held) > 0:
		return fmt.Errorf("%w: %s holds a state but there is no journal in %s: bring the journal back from the same disk,"+
			" or give this replica up", ErrUntrusted, h.path(StateDir), h.path(JournalDir))
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("look for a state from before: %w", err)
	}
	fresh, err := pbft.New(&h.Config, nil, pbft.Applied{})
	if err != nil {
		return err
	}
	d.log = fresh.Anchor()
	d.journal, err = journal.Create(h.path(JournalDir), entries(d.log), options)
	return err
}

// verify loads the store at the newest checkpoint of our own whose root it still has. What lies above is executed again
// from the journal; the store is not trusted as a log (D5).
func (d *disk) verify(h *Home) error {
	if last := pbft.Reach(&h.Config, d.log); pbft.Seq(d.store.MaxVersion()) > last {
		return fmt.Errorf("%w: the store holds sequence number %d, but the journal in %s ends at %d: an older copy of the journal?"+
			" bring the newest one back, or give this replica up", ErrUntrusted, d.store.MaxVersion(), h.path(JournalDir), last)
	}
	var tried []pbft.Seq
	for _, mark := range pbft.Marks(d.log) {
		root, err := d.store.Load(uint64(mark.Seq))
		switch {
		case errors.Is(err, store.ErrDamaged), err == nil && mark.Seq > 0 && pbft.Digest(root) != mark.Digest:
			tried = append(tried, mark.Seq)
			continue
		case err != nil:
			return err
		}
		d.applied = pbft.Applied{Seq: mark.Seq, Root: root}
		d.replica, err = pbft.New(&h.Config, d.log, d.applied)
		switch {
		case errors.Is(err, pbft.ErrForeignJournal):
			return fmt.Errorf("%s: %w: bring this replica's own journal back", h.path(JournalDir), err)
		case errors.Is(err, pbft.ErrOtherWindow):
			return fmt.Errorf("%s: %w: set both back in the cluster file of every replica", h.path(JournalDir), err)
		case err != nil && len(tried) > 0:
			return fmt.Errorf("the store at %s has lost data: it matches %s, and %w: this replica needs the state from others,"+
				" which this version cannot fetch; leave it off", h.path(StateDir), noneOf(tried), err)
		case errors.Is(err, pbft.ErrBehind):
			return fmt.Errorf("%s: %w: this replica needs the state from others, which this version cannot fetch", h.path(StateDir), err)
		}
		return err
	}
	return fmt.Errorf("the store at %s matches %s", h.path(StateDir), noneOf(tried))
}

// noneOf names the checkpoints that were tried, the newest one first. A journal may hold hundreds.
func noneOf(tried []pbft.Seq) string {
	if len(tried) == 0 {
		return "no checkpoint, since the journal names none"
	}
	return fmt.Sprintf("none of the %d checkpoints of the journal, from %d to %d", len(tried), tried[len(tried)-1], tried[0])
}

func (d *disk) close() error {
	var errs []error
	if d.journal != nil {
		errs = append(errs, d.journal.Close())
	}
	if d.store != nil {
		errs = append(errs, d.store.Close())
	}
	return errors.Join(errs...)
}

// closePatience is how long a failed disk may take to close.
const closePatience = 2 * time.Second

// abandon closes what a failed disk still lets close. Badger tries for ever to write its memtable to a disk that is full
// or gone, and nothing depends on that (D5): the end of the process does not wait for it.
func (d *disk) abandon() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = d.close() // the error that led here is the one to mend
	}()
	select {
	case <-closed:
	case <-time.After(closePatience):
	}
}
