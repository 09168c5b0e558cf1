package comeback

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"tagma/internal/node"
	"tagma/testnet/play/processes"
)

// endPatience is how long writes under way may take to finish when a load ends.
const endPatience = 20 * time.Second

// verify judges the end of a case: every acknowledged write is read back, all replicas name one digest for the newest
// checkpoint, and their stores on the disk have one root. All replicas run, and no client writes.
func (s *stage) verify() error {
	if err := s.readBack(); err != nil {
		return err
	}
	s.result.tell("keys read back", float64(s.ledger.acknowledged()), "")
	// Every replica must have computed a checkpoint of its own behind all that happened.
	if _, err := s.advance(fewestKeys, 0, s.executed()+2*uint64(s.o.CheckpointInterval)); err != nil {
		return err
	}
	v, err := s.until("one state digest of all replicas", everybody(), func(v view) string {
		return disagreement(v, uint64(s.o.CheckpointInterval))
	})
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	return s.sameRoots(v[0].StableCheckpoint, v[0].StateDigest)
}

// disagreement says what is missing for all replicas to be equally far, sound, and of one digest.
func disagreement(v view, interval uint64) string {
	for _, id := range everybody() {
		r, answered := v[id]
		switch {
		case !answered:
			return fmt.Sprintf("replica %d does not answer", id)
		case r.Recovery != nil && r.Recovery.Phase != node.PhaseFollowing && r.Recovery.Phase != node.PhaseSilent:
			return fmt.Sprintf("replica %d is still %s", id, r.Recovery.Phase)
		}
	}
	if !processes.Agree(v, everybody(), interval) {
		return "they are not equally far with one stable checkpoint"
	}
	return ""
}

// sameRoots demands that each store, read anew from the disk, has the root that was certified. Between checkpoints a
// store need not hold every state: replicas write several batches together.
func (s *stage) sameRoots(seq uint64, digest string) error {
	for _, id := range everybody() {
		root, err := s.root(id, seq)
		if err != nil {
			return fmt.Errorf("read the store of replica %d: %w", id, err)
		}
		if hex.EncodeToString(root[:]) != digest {
			return fmt.Errorf("the store of replica %d has the root %x… at checkpoint %d, and %.16s… is certified", id, root[:8], seq, digest)
		}
	}
	return nil
}

// follow waits until a replica that was started again has the others' state and goes along with them: no transfer is
// under way, it executed at least up to its stable checkpoint, for which another replica names the same digest, and it
// is at most so many sequence numbers behind the one that is farthest.
func (s *stage) follow(id int, within uint64) error {
	_, err := s.until(fmt.Sprintf("replica %d to come back", id), everybody(), func(v view) string {
		r, answered := v[id]
		switch {
		case !answered:
			return "it does not answer"
		case r.Recovery != nil && (r.Recovery.Transfer != nil || r.Recovery.Phase == node.PhaseAsking ||
			r.Recovery.Phase == node.PhaseForgotten):
			return "it is " + string(r.Recovery.Phase)
		case r.StableCheckpoint == 0 || r.Executed < r.StableCheckpoint:
			return "it has not executed up to a stable checkpoint"
		case r.Executed+within < v.executed():
			return fmt.Sprintf("it executed %d, and another one %d", r.Executed, v.executed())
		case !s.marks.shared(id, r):
			return fmt.Sprintf("nobody else named a digest for its checkpoint %d yet", r.StableCheckpoint)
		}
		return ""
	})
	return err
}

// received is what a replica's transfers have brought since its process started.
func (s *stage) received(id int) (bytes, rounds float64, err error) {
	finished, err := s.metric(id, "tagma_transfers_finished_total")
	for began := time.Now(); err == nil && finished == 0 && time.Since(began) < lookTimeout; { // counted just after the report
		finished, err = s.metric(id, "tagma_transfers_finished_total")
	}
	switch {
	case err != nil:
		return 0, 0, err
	case finished == 0:
		return 0, 0, fmt.Errorf("replica %d came back without a transfer of the state: the case shows nothing", id)
	}
	if bytes, err = s.metric(id, "tagma_transfer_received_bytes_total"); err != nil {
		return 0, 0, err
	}
	rounds, err = s.metric(id, "tagma_transfer_rounds_total")
	return bytes, rounds, err
}

// serves demands that a new write is acknowledged in time.
func (s *stage) serves(within time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, within)
	defer cancel()
	own := writes{step: 1, to: s.o.Keys, at: s.o.Keys / 2}
	key, n, ok := own.next(s.ledger)
	if !ok {
		return 0, errors.New("the outcomes of writes to all keys are unknown")
	}
	began := time.Now()
	if err := put(ctx, s.sessions[0], s.ledger, key, n); err != nil {
		return 0, fmt.Errorf("a write must be acknowledged within %v: %w", within, err)
	}
	return time.Since(began), nil
}

// restart runs replicas again and waits until they answer.
func (s *stage) restart(ids ...int) error {
	if err := s.cluster.Start(ids...); err != nil {
		return err
	}
	_, err := s.until("the replicas to answer", ids, func(v view) string {
		for _, id := range ids {
			if _, answered := v[id]; !answered {
				return fmt.Sprintf("replica %d does not answer", id)
			}
		}
		return ""
	})
	return err
}
