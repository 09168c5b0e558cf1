package comeback

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	"tagma/checkpoint/store"
	"tagma/internal/node"
	"tagma/testnet/play/processes"
)

// verify judges the end of a case: every acknowledged write is read back, all replicas name one digest for the newest
// checkpoint, and their stores, read anew from the disk, have the root that was certified. All replicas run, and no client
// writes.
func (s *stage) verify() {
	s.readBack()
	s.result.tell("keys read back", float64(s.ledger.acknowledged()), "")
	// Every replica must have computed a checkpoint of its own behind all that happened.
	s.advance(fewestKeys, 0, s.executed()+2*uint64(s.o.CheckpointInterval))
	v := s.until("one state digest of all replicas", everybody, func(v view) string {
		return disagreement(v, uint64(s.o.CheckpointInterval))
	})
	s.stop()
	// Between checkpoints a store need not hold every state: replicas write several batches together.
	seq, digest := v[0].StableCheckpoint, v[0].StateDigest
	for _, id := range everybody {
		root, err := s.root(id, seq)
		if err != nil {
			s.fail("read the store of replica %d: %w", id, err)
		}
		if hex.EncodeToString(root[:]) != digest {
			s.fail("the store of replica %d has the root %x… at checkpoint %d, and %.16s… is certified", id, root[:8], seq, digest)
		}
	}
}

// disagreement says what is missing for all replicas to be equally far, sound, and of one digest.
func disagreement(v view, interval uint64) string {
	for _, id := range everybody {
		r, answered := v[id]
		switch {
		case !answered:
			return fmt.Sprintf("replica %d does not answer", id)
		case r.Recovery != nil && r.Recovery.Phase != node.PhaseFollowing && r.Recovery.Phase != node.PhaseSilent:
			return fmt.Sprintf("replica %d is still %s", id, r.Recovery.Phase)
		}
	}
	if !processes.Agree(v, everybody, interval) {
		return "they are not equally far with one stable checkpoint"
	}
	return ""
}

// root computes the root of a stopped replica's state at a sequence number from what lies on its disk.
func (s *stage) root(id int, seq uint64) (root [32]byte, err error) {
	opened, err := store.Open(filepath.Join(s.data(id), node.StateDir), store.Options{})
	if err != nil {
		return root, err
	}
	root, err = opened.Load(seq)
	return root, errors.Join(err, opened.Close())
}
