package replica

import (
	"errors"
	"fmt"
	"slices"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft"
)

// Disk is a home's data after the checks of a start: what the replica goes on from.
type Disk struct {
	Votes   *Votes
	Store   Store
	Log     []pbft.Record // what the journal holds
	Applied pbft.Applied  // the state that the store was verified to hold (D5)
	Replica *pbft.Replica
	First   bool // it was never started before
}

// Amnesia is the error of a start that finds that the replica may have forgotten what it signed (D8.3). It must not go on
// before Begin has written what others told it. Its text says in a line what was found.
type Amnesia struct{ Why string }

// Error implements error.
func (a *Amnesia) Error() string { return "this replica may have forgotten what it signed: " + a.Why }

func forgot(format string, args ...any) error { return &Amnesia{fmt.Sprintf(format, args...)} }

// Open judges what lies on the disk and opens it. The error is an *Amnesia, one of the disk, or of settings that do not fit
// the journal. A first start writes no vote yet: its journal begins with the first record.
func Open(h *Home) (d *Disk, err error) {
	life, err := readMark(h.Life)
	if err != nil {
		return nil, err
	}
	d = &Disk{Votes: &Votes{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
			d = nil
		}
	}()
	j, found, err := journal.Open(h.Journal, h.journalOptions())
	switch {
	case errors.Is(err, journal.ErrEmpty):
		return d, d.openWithout(h, life)
	case errors.Is(err, journal.ErrRot), errors.Is(err, journal.ErrMissing):
		return d, forgot("%v", err)
	case err != nil:
		return d, err
	}
	d.Votes.adopt(j)
	if d.Log, err = decode(found); err != nil {
		return d, err
	}
	if d.isForeign(h.Config) {
		return d, fmt.Errorf("%s: %w: bring this replica's own journal back", h.Journal, pbft.ErrForeignJournal)
	}
	own, err := d.judge(h, life)
	if err != nil {
		return d, err
	}
	if d.Store, err = h.openStore(); err != nil {
		return d, err
	}
	if err := d.verify(h, pbft.Start{Life: own, Nonce: h.newNonce()}); err != nil {
		return d, err
	}
	return d, d.adopt(h, life, own)
}

func (h *Home) journalOptions() journal.Options {
	return journal.Options{SegmentBytes: h.SegmentBytes, FS: h.FS, Random: h.Random, Logger: h.Log, Index: pbft.Rebuilds}
}

// openWithout opens a home that has no journal: that of a first start, if everything says so.
func (d *Disk) openWithout(h *Home, life mark) error {
	stored, err := h.State.Exists()
	if err == nil && stored && life.unborn { // an earlier first start may have ended before its first record
		d.Store, err = h.State.Open()
		stored = errors.Is(err, store.ErrDamaged) || err == nil && d.Store.MaxVersion() > 0
		if stored {
			err = nil
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("look for a state from before: %w", err)
	case stored:
		return forgot("there is a state, but no journal in %s", h.Journal)
	case life.missing:
		return forgot("there is neither a journal in %s nor a file life beside the key (if this replica was never started, write"+
			" %q into it)", h.Journal, Unborn)
	case !life.unborn:
		return forgot("it was started before, and there is no journal in %s; is its disk mounted?", h.Journal)
	}
	own := h.newLife()
	d.First = true
	d.Votes.begin = func(anchor []pbft.Record) (*journal.Journal, error) {
		d.Votes.encoded = nil
		j, err := journal.Create(h.Journal, d.Votes.encode(anchor), h.journalOptions())
		if err == nil {
			err = h.Life.Write(own.String())
		}
		return j, err
	}
	if d.Store == nil {
		if d.Store, err = h.State.Open(); err != nil {
			return err
		}
	}
	fresh, err := pbft.Boot(h.Config, nil, pbft.Applied{}, pbft.Start{Life: own, Nonce: h.newNonce(), First: true})
	if err != nil {
		return err
	}
	d.Log = fresh.Anchor()
	if _, err := d.Store.Load(0); err != nil {
		return err
	}
	d.Replica = fresh
	return nil
}

// isForeign reports whether a journal was written by another replica, or in another cluster: disks were mixed up, and nothing is
// lost.
func (d *Disk) isForeign(cfg *pbft.Config) bool {
	for _, rec := range d.Log {
		if head, is := rec.(*pbft.Head); is && (head.Cluster != cfg.Cluster || head.Self != cfg.Self) {
			return true
		}
	}
	return false
}

// judge compares the life of the journal with that beside the key (D8.3), and returns the one to go on with.
func (d *Disk) judge(h *Home, life mark) (pbft.Life, error) {
	named := lifeOf(d.Log)
	none := named == pbft.Life{}
	switch {
	case life.missing && none, life.unborn && none: // of the first format
		return h.newLife(), nil
	case life.missing:
		return named, forgot("there is a journal in %s but no file life beside the key", h.Journal)
	case life.unborn: // a crash came between the two
		return named, nil
	case life.adopting && none || life.life == named:
		return life.life, nil
	case none:
		return named, forgot("the journal in %s is older than the file life beside the key: an old copy", h.Journal)
	default:
		return named, forgot("the journal in %s is of another life (%s) than the file beside the key (%s): an old copy",
			h.Journal, named, life.life)
	}
}

// adopt makes the life beside the key and that of the journal the same one. A journal of the first format is given its life
// once: the file says so first, else a journal of the same age that is put back later would be adopted too.
func (d *Disk) adopt(h *Home, life mark, own pbft.Life) error {
	if lifeOf(d.Log) != own {
		if err := h.Life.Write(adopting + own.String()); err != nil {
			return err
		}
		if err := d.Votes.rotate(d.Votes.journal.Load(), d.Replica.Anchor()); err != nil {
			return err
		}
		h.info("the journal of an earlier version was adopted: the file life beside the key names it now", "life", own.String())
	}
	if life.life == own && !life.adopting {
		return nil
	}
	return h.Life.Write(own.String())
}

func (h *Home) info(text string, args ...any) {
	if h.Log != nil {
		h.Log.Info(text, args...)
	}
}

func (h *Home) warn(text string, args ...any) {
	if h.Log != nil {
		h.Log.Warn(text, args...)
	}
}

// openStore opens the store, or an empty one in the place of one that is damaged: the journal is whole, so nothing that was
// signed is lost with it.
func (h *Home) openStore() (Store, error) {
	s, err := h.State.Open()
	if !errors.Is(err, store.ErrDamaged) {
		return s, err
	}
	h.warn("the store is damaged, so it is moved aside and the state is built anew, from the journal or from other replicas",
		"error", err)
	if err := h.State.Aside(); err != nil {
		return nil, err
	}
	return h.State.Open()
}

// verify loads the store at the newest checkpoint of this replica whose root it still has. What lies above is executed again
// from the journal; the store is not trusted as a log (D5). If it has none, the state comes from others (X1).
func (d *Disk) verify(h *Home, start pbft.Start) error {
	if last := pbft.Reach(h.Config, d.Log); pbft.Seq(d.Store.MaxVersion()) > last {
		return forgot("the store holds sequence number %d, but the journal in %s ends at %d: an old copy of the journal",
			d.Store.MaxVersion(), h.Journal, last)
	}
	var tried []pbft.Seq
	for _, mark := range d.marks() {
		root, err := d.Store.Load(uint64(mark.Seq))
		if errors.Is(err, store.ErrDamaged) || err == nil && mark.Seq > 0 && pbft.Digest(root) != mark.Digest {
			tried = append(tried, mark.Seq)
			continue
		}
		if err != nil {
			return err
		}
		d.Applied = pbft.Applied{Seq: mark.Seq, Root: root}
		break
	}
	if len(tried) > 0 {
		h.warn("the store has lost data: it does not match the newest checkpoints of the journal", "checkpoints", noneOf(tried),
			"goes_on_from", uint64(d.Applied.Seq))
	}
	start.Fetch = len(tried) > 0 && d.Applied.Seq == 0
	var err error
	d.Replica, err = pbft.Boot(h.Config, d.Log, d.Applied, start)
	switch {
	case errors.Is(err, pbft.ErrForeignJournal):
		return fmt.Errorf("%s: %w: bring this replica's own journal back", h.Journal, err)
	case errors.Is(err, pbft.ErrOtherWindow):
		return fmt.Errorf("%s: %w: set both back in the cluster file of every replica", h.Journal, err)
	}
	return err
}

// marks lists the states to look for, newest first but for the one that is stable: others may need it, and while ordering is
// stalled nobody has a newer one that is certified (K4). What lies above is executed again in a moment.
func (d *Disk) marks() []pbft.Mark {
	marks := pbft.Marks(d.Log)
	stable := pbft.LastStable(d.Log)
	if i := slices.IndexFunc(marks, func(m pbft.Mark) bool { return m.Seq == stable }); i > 0 && stable > 0 {
		first := marks[i]
		return slices.Insert(slices.Delete(marks, i, i+1), 0, first)
	}
	return marks
}

// noneOf names the checkpoints that were tried, the newest one first. A journal may hold hundreds.
func noneOf(tried []pbft.Seq) string {
	return fmt.Sprintf("%d from %d to %d", len(tried), tried[len(tried)-1], tried[0])
}

// Close gives journal and store back.
func (d *Disk) Close() error {
	err := d.Votes.Close()
	if d.Store != nil {
		err = errors.Join(err, d.Store.Close())
	}
	return err
}
