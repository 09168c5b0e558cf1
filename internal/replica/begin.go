package replica

import (
	"errors"
	"fmt"
	"path/filepath"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft"
)

// Begin writes what others told a replica that had forgotten what it signed: the journal of a new life, and then the file
// that names it (D8.6). A crash at any point leaves a home that is asked for again: no vote is sent before the end. What was
// there is moved aside; a store is kept if nothing in it is newer than the checkpoint that others showed, since what differs
// is found and fetched (X4, X5).
func Begin(h *Home, rec pbft.Recovery) error {
	if _, err := journal.SetAside(h.FS, h.Journal); err != nil {
		return fmt.Errorf("move the old journal aside: %w", err)
	}
	if err := h.keepStore(rec.Stable.Seq); err != nil {
		return err
	}
	life := h.newLife()
	v := &Votes{}
	j, err := journal.Create(h.Journal, v.encode(rec.Records(h.Config, life)), h.journalOptions())
	if err != nil {
		return err
	}
	if err := errors.Join(h.Life.Write(life.String()), j.Close()); err != nil {
		return fmt.Errorf("begin a new life in %s: %w", filepath.Dir(h.Journal), err)
	}
	h.info("this replica begins a new life: it is silent until the checkpoint, and votes from the view on", "life", life.String(),
		"checkpoint", uint64(rec.Until), "view", uint64(rec.View))
	return nil
}

// keepStore moves a store aside that is damaged, or holds more than the newest checkpoint of others.
func (h *Home) keepStore(newest pbft.Seq) error {
	stored, err := h.State.Exists()
	if err != nil || !stored {
		return err
	}
	s, err := h.State.Open()
	if err == nil {
		ahead := s.MaxVersion() > uint64(newest)
		if err = s.Close(); err != nil || !ahead {
			return err
		}
	} else if !errors.Is(err, store.ErrDamaged) {
		return err
	}
	h.warn("the store is moved aside: nothing tells whether it is this replica's newest", "error", err)
	return h.State.Aside()
}
