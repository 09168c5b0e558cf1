package replica

import (
	"errors"
	"fmt"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft"
	"tagma/pbft/wire"
)

// Disk is a home's data after a start has checked them. The replica continues from it.
type Disk struct {
	Votes   *Votes
	Store   Store
	Log     wire.Log     // what the journal holds
	Applied pbft.Applied // the state that the store was verified to hold (D5)
	Replica *pbft.Replica
	First   bool // the replica was never started before
}

// Amnesia is the error of a start that finds that the replica may have forgotten what it signed (D8.3). The replica
// must not continue before Begin has written what the others told it. Its text says in one line what was found.
type Amnesia struct{ Why string }

// Error implements error.
func (a *Amnesia) Error() string { return "this replica may have forgotten what it signed: " + a.Why }

func forgot(format string, args ...any) error { return &Amnesia{fmt.Sprintf(format, args...)} }

// Open examines the home's disk and opens it. The error is an *Amnesia, an error of the disk, or says that settings do
// not match the journal. A first start does not write a vote yet: its journal begins with the first record. A journal
// from which the replica must not continue is left unchanged.
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
	own, err := d.look(h, life)
	switch {
	case errors.Is(err, journal.ErrEmpty):
		return d, d.openWithout(h, life)
	case errors.Is(err, journal.ErrRot), errors.Is(err, journal.ErrMissing):
		return d, forgot("%v", err)
	case err != nil:
		return d, err
	}
	if err := h.settle(d.marks(h.Config.Origin)); err != nil {
		return d, err
	}
	if d.Store, err = h.openStore(); err != nil {
		return d, err
	}
	if last := d.Log.Reach(h.Config); wire.Seq(d.Store.MaxVersion()) > last {
		return d, forgot("the store holds sequence number %d, but the journal in %s ends at %d: an old copy of the journal",
			d.Store.MaxVersion(), h.Journal, last)
	}
	if err := d.openJournal(h); err != nil {
		return d, err
	}
	if err := d.verify(h, pbft.Start{Life: own, Nonce: h.newNonce()}); err != nil {
		return d, err
	}
	return d, d.adopt(h, life, own)
}

// look reads the journal without changing it, and returns the life to continue with. The error is the journal's own, or
// an *Amnesia if the journal does not belong to the life in the file beside the key.
func (d *Disk) look(h *Home, life mark) (wire.Life, error) {
	found, err := journal.Peek(h.Journal, h.journalOptions())
	if err != nil {
		return wire.Life{}, err
	}
	if d.Log, err = decode(found); err != nil {
		return wire.Life{}, err
	}
	if err := d.Log.Foreign(h.Config); err != nil {
		return wire.Life{}, fmt.Errorf("%s: %w: bring this replica's own journal back", h.Journal, err)
	}
	return h.judge(life, d.Log.Life())
}

// openJournal opens the journal that look has read, and repairs what a crash left unfinished.
func (d *Disk) openJournal(h *Home) error {
	j, found, err := journal.Open(h.Journal, h.journalOptions())
	if err != nil {
		return err
	}
	d.Votes.adopt(j)
	if len(found) != len(d.Log) {
		return fmt.Errorf("the journal in %s was changed while it was read: stop the process that did it", h.Journal)
	}
	return nil
}

func (h *Home) journalOptions() journal.Options {
	return journal.Options{SegmentBytes: h.SegmentBytes, FS: h.FS, Random: h.Random, Logger: h.Log, Index: wire.Rebuilds}
}

// openWithout opens a home that has no journal. If the life file and the store are also those of a replica that was
// never started, it is a first start.
func (d *Disk) openWithout(h *Home, life mark) error {
	origin := h.Config.Origin
	stored, err := h.State.Exists()
	if err == nil && stored && life.unborn { // an earlier first start may have ended before its first record
		d.Store, err = h.State.Open()
		stored = errors.Is(err, store.ErrDamaged) || err == nil && d.Store.MaxVersion() > uint64(origin.Seq)
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
	if d.Store == nil {
		if d.Store, err = h.State.Open(); err != nil {
			return err
		}
	}
	if err := d.loadOrigin(origin); err != nil {
		return err
	}
	own := h.newLife()
	d.First = true
	d.Votes.begin = func(anchor []wire.Record) (*journal.Journal, error) {
		j, err := journal.Create(h.Journal, encode(anchor), h.journalOptions())
		if err != nil {
			return nil, err
		}
		if err := h.Life.Write(own.String()); err != nil {
			return nil, errors.Join(err, j.Close())
		}
		return j, nil
	}
	fresh, err := pbft.Boot(h.Config, nil, d.Applied, pbft.Start{Life: own, Nonce: h.newNonce(), First: true})
	if err != nil {
		return err
	}
	d.Log, d.Replica = fresh.Anchor(), fresh
	return nil
}

// loadOrigin loads the state with which the cluster began. A replica must have that state before it votes. Otherwise all
// replicas of the cluster could begin without it, and nobody would notice.
func (d *Disk) loadOrigin(origin wire.Mark) error {
	root, err := d.Store.Load(uint64(origin.Seq))
	if err != nil && !errors.Is(err, store.ErrDamaged) {
		return err
	}
	if origin.Seq > 0 && (err != nil || wire.Digest(root) != origin.Digest) {
		return fmt.Errorf("the state that this cluster began with, after sequence number %d of the cluster before, is not in the store:"+
			" put it there with tagma restore --replica", origin.Seq)
	}
	d.Applied = pbft.Applied{Seq: origin.Seq, Root: root}
	return nil
}

// judge compares the life in the journal with the one beside the key (D8.3), and returns the one to continue with.
func (h *Home) judge(life mark, named wire.Life) (wire.Life, error) {
	none := named == wire.Life{}
	switch {
	case life.missing && none, life.unborn && none: // the journal has the first format, without a life
		return h.newLife(), nil
	case life.missing:
		return named, forgot("there is a journal in %s but no file life beside the key", h.Journal)
	case life.unborn: // a crash came after the journal was made and before the life was written
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

// adopt makes the life beside the key equal to the journal's. A journal of the first format is given a life only once,
// and the file beside the key records this beforehand. Otherwise, if an old copy of such a journal were put back later,
// it would be given a life, too.
func (d *Disk) adopt(h *Home, life mark, own wire.Life) error {
	if d.Log.Life() != own {
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

// Close closes journal and store.
func (d *Disk) Close() error {
	err := d.Votes.Close()
	if d.Store != nil {
		err = errors.Join(err, d.Store.Close())
	}
	return err
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
