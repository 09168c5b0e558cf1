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
	for _, mark := range d.marks() {
		root, err := d.Store.Load(uint64(mark.Seq))
		if errors.Is(err, store.ErrDamaged) || err == nil && mark.Seq > 0 && wire.Digest(root) != mark.Digest {
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
	if stable := wire.LastStable(d.Log); start.Fetch && stable > 0 && wire.Seq(d.Store.MaxVersion()) > stable {
		if err := d.renewStore(h); err != nil {
			return err
		}
	}
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

// renewStore moves aside a store that lost data and holds more than the newest stable checkpoint (X5). Nothing may be
// written into it at that checkpoint, and a newer one may never come: it could take this replica to make one stable.
func (d *Disk) renewStore(h *Home) error {
	h.warn("the store is moved aside: the others' newest state cannot be written below what it holds", "holds", d.Store.MaxVersion())
	err := d.Store.Close()
	d.Store = nil
	if err == nil {
		err = h.State.Aside()
	}
	if err == nil {
		d.Store, err = h.State.Open()
	}
	if err == nil {
		_, err = d.Store.Load(0)
	}
	return err
}

// marks lists the states to look for, newest first but for the one that is stable: others may need it, and while
// ordering is stalled nobody has a newer one that is certified (K4). What lies above is executed again in a moment.
func (d *Disk) marks() []wire.Mark {
	marks := wire.Marks(d.Log)
	stable := wire.LastStable(d.Log)
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
