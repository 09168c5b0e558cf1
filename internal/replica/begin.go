package replica

import (
	"errors"
	"fmt"
	"path/filepath"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/pbft/amnesia"
	"tagma/pbft/wire"
)

// Begin starts the new life of a replica that had forgotten what it signed, with what the others told it (D8.6). It
// writes the journal of that life, and then the file that names the life. After a crash at any point the next start asks
// the others again, because no vote is sent before Begin has ended. The former journal is moved aside. The store is kept
// if nothing in it is newer than the checkpoint that the others showed, because a transfer fetches only what differs
// (X4, X5). If a crash interrupts Begin, the next call moves the unfinished journal aside, which replaces the former
// journal there.
func Begin(h *Home, rec amnesia.Recovery) error {
	if _, err := journal.SetAside(h.FS, h.Journal); err != nil {
		return fmt.Errorf("move the old journal aside: %w", err)
	}
	if err := h.keepStore(rec.Stable.Seq); err != nil {
		return err
	}
	life := h.newLife()
	j, err := journal.Create(h.Journal, encode(rec.Records(h.Config, life)), h.journalOptions())
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

// keepStore moves the store aside if it is damaged, or holds more than the newest checkpoint of the others.
func (h *Home) keepStore(newest wire.Seq) error {
	if err := h.settle(nil); err != nil {
		return err
	}
	stored, err := h.State.Exists()
	if err != nil || !stored {
		return err
	}
	s, err := h.State.Open()
	switch {
	case errors.Is(err, store.ErrDamaged):
		h.warn("the store is damaged, so it is moved aside and the state is fetched from other replicas", "error", err)
		return h.State.Aside()
	case err != nil:
		return err
	}
	holds := s.MaxVersion()
	if err := s.Close(); err != nil || holds <= uint64(newest) {
		return err
	}
	h.warn("the store is moved aside: it holds more than the newest checkpoint of the others", "store", holds, "checkpoint",
		uint64(newest))
	return h.State.Aside()
}
