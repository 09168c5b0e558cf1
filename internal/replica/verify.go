package replica

import (
	"errors"
	"fmt"
	"slices"

	"tagma/checkpoint/store"
	"tagma/pbft"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// What a start makes of the store (D5).

// settle leaves one generation of the store (K2). The journal's marks say which: a crash may have come before the record
// that switched to the next one, which matches none of them then, or behind it, when the one before matches none. Nothing
// else is believed of either.
func (h *Home) settle(marks []wire.Mark) error {
	next, err := h.State.OpenNext()
	damaged := errors.Is(err, store.ErrDamaged)
	switch {
	case err != nil && !damaged:
		return err
	case next == nil && !damaged:
		return nil
	}
	var at wire.Seq
	if !damaged {
		at, err = newestMatch(next, marks)
		if err := errors.Join(err, next.Close()); err != nil {
			return err
		}
	}
	switched := at > 0
	if switched {
		var here Store
		here, err = h.State.Open()
		switch {
		case err == nil:
			var before wire.Seq
			before, err = newestMatch(here, marks)
			if err := errors.Join(err, here.Close()); err != nil {
				return err
			}
			switched = at >= before
		case !errors.Is(err, store.ErrDamaged):
			return err
		}
	}
	h.info("a crash came while the state was taken in anew", "goes_on_from_the_new_one", switched)
	return h.State.Settle(switched)
}

// newestMatch is the newest mark whose state a store holds; 0 if there is none.
func newestMatch(s Store, marks []wire.Mark) (wire.Seq, error) {
	for _, mark := range marks {
		if mark.Seq == 0 {
			break
		}
		root, err := s.Load(uint64(mark.Seq))
		switch {
		case errors.Is(err, store.ErrDamaged):
		case err != nil:
			return 0, err
		case wire.Digest(root) == mark.Digest:
			return mark.Seq, nil
		}
	}
	return 0, nil
}

// openStore opens the store, or an empty one in the place of one that is damaged: the journal is whole, so nothing that
// was signed is lost with it.
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

// verify loads the store at the newest checkpoint of this replica whose root it still has. What lies above is executed
// again from the journal; the store is not trusted as a log (D5). If it has none, the state comes from others (X1).
func (d *Disk) verify(h *Home, start pbft.Start) error {
	var tried []wire.Seq
	missing := false
	for _, mark := range d.marks(h.Config.Origin) {
		root, err := d.Store.Load(uint64(mark.Seq))
		if errors.Is(err, store.ErrDamaged) || err == nil && mark.Seq > 0 && wire.Digest(root) != mark.Digest {
			missing = true
			if mark != h.Config.Origin { // which no journal tells of: a newer state in its place is no loss
				tried = append(tried, mark.Seq)
			}
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
	start.Fetch = missing && d.Applied.Seq == 0
	// What lies above the newest stable checkpoint bars writing at it, and a newer one may never come: it could take this
	// replica to make one stable. So the state is taken in anew, beside what is there (X5).
	stable := d.Log.LastStable()
	start.Doubt = start.Fetch && stable > 0 && wire.Seq(d.Store.MaxVersion()) > stable
	var err error
	d.Replica, err = pbft.Boot(h.Config, d.Log, d.Applied, start)
	switch {
	case errors.Is(err, wire.ErrForeignJournal):
		return fmt.Errorf("%s: %w: bring this replica's own journal back", h.Journal, err)
	case errors.Is(err, wire.ErrOtherWindow):
		return fmt.Errorf("%s: %w: set both back in the cluster file of every replica", h.Journal, err)
	}
	return err
}

// Serve puts a state machine on the store, at the state that was verified. Panicked, if not nil, is told of panics of the
// application.
func (d *Disk) Serve(m statemachine.Machine, limits statemachine.Limits, panicked func(statemachine.Panic)) (*statemachine.Service,
	error,
) {
	if err := d.checkRefused(limits.Refused); err != nil {
		return nil, err
	}
	service, err := statemachine.New(m, d.Store, limits)
	if err != nil {
		return nil, err
	}
	service.ObservePanics(panicked)
	if err := service.Load(uint64(d.Applied.Seq)); err != nil {
		service.Close()
		return nil, err
	}
	return service, nil
}

// checkRefused reports a request on the list of refused ones that ended here, as far as the store tells: what was written
// above the checkpoint is not trusted as a log (D5), but it is a reason to doubt the list. What cannot be read is none.
func (d *Disk) checkRefused(refused [][32]byte) error {
	if len(refused) == 0 || d.Store.MaxVersion() == 0 {
		return nil
	}
	newest, err := d.Store.Newest()
	if err != nil {
		return err
	}
	defer newest.Close()
	var ended *statemachine.EndedError
	if errors.As(statemachine.CheckRefused(refused, newest), &ended) {
		return ended
	}
	return nil
}

// marks lists the states to look for, newest first but for the one that is stable: others may need it, and while
// ordering is stalled nobody has a newer one that is certified (K4). What lies above is executed again in a moment.
// The last ones are what the cluster began with, and nothing at all.
func (d *Disk) marks(origin wire.Mark) []wire.Mark {
	marks := d.Log.Marks()
	if none := len(marks) - 1; !slices.Contains(marks, origin) {
		marks = slices.Insert(marks, none, origin)
	}
	stable := d.Log.LastStable()
	if i := slices.IndexFunc(marks, func(m wire.Mark) bool { return m.Seq == stable }); i > 0 && stable > 0 {
		first := marks[i]
		return slices.Insert(slices.Delete(marks, i, i+1), 0, first)
	}
	return marks
}

// noneOf names the checkpoints that were tried, the newest one first. A journal may hold hundreds.
func noneOf(tried []wire.Seq) string {
	return fmt.Sprintf("%d from %d to %d", len(tried), tried[len(tried)-1], tried[0])
}
