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

// This file decides what a start does with the store (D5).

// settle leaves one generation of the store (K2). It chooses the generation that holds a state with the root of a
// checkpoint in the journal. If the process crashed before the record of the switch was written, the new generation has
// no such state. If it crashed after that, the former generation has none. Nothing else in a generation is trusted.
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

// newestMatch returns the newest checkpoint in the journal whose state the store holds; 0 if there is none.
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

// openStore opens the store, or an empty one if the store is damaged. No vote is lost then, because the votes are in the
// journal, which is intact.
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

// verify loads the store at the newest checkpoint of this replica whose root the store still has. Batches above it are
// executed again from the journal, because the store is not trusted as a log (D5). If there is no such checkpoint, the
// state comes from other replicas (X1).
func (d *Disk) verify(h *Home, start pbft.Start) error {
	var tried []wire.Seq
	missing := false
	for _, mark := range d.marks(h.Config.Origin) {
		root, err := d.Store.Load(uint64(mark.Seq))
		if errors.Is(err, store.ErrDamaged) || err == nil && mark.Seq > 0 && wire.Digest(root) != mark.Digest {
			missing = true
			// The journal does not mention the origin, and a newer state may have replaced it without any loss.
			if mark != h.Config.Origin {
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
	// Versions above the newest stable checkpoint prevent writing at that checkpoint. A newer one may never come,
	// because the others may need this replica to make it stable. So the state is rebuilt beside the present one (X5).
	stable := d.Log.LastStable()
	start.Doubt = start.Fetch && stable > 0 && wire.Seq(d.Store.MaxVersion()) > stable
	var err error
	d.Replica, err = pbft.Boot(h.Config, d.Log, d.Applied, start)
	if errors.Is(err, wire.ErrOtherWindow) {
		return fmt.Errorf("%s: %w: set both back in the cluster file of every replica", h.Journal, err)
	}
	return err
}

// Serve puts a state machine on the store, at the verified state. Panicked, if not nil, is told about panics of the
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

// checkRefused returns an error if a request on the list of refused ones has already ended here, as far as the store
// shows. Versions above the checkpoint are not trusted as a log (D5), but if they show that a refused request has ended
// here, the list must be wrong. If the state cannot be read, the check is skipped.
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

// marks lists the states that a start looks for in the store, the newest first. The stable one comes before all others:
// other replicas may need it, and while ordering is stalled there is no newer certified one (K4). Executing the batches
// above it again takes little time. The last ones are the origin of the cluster, and the empty state.
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

// noneOf describes the checkpoints that were tried by their number and range, because a journal may hold hundreds of
// them.
func noneOf(tried []wire.Seq) string {
	return fmt.Sprintf("%d from %d to %d", len(tried), tried[len(tried)-1], tried[0])
}
