package comeback

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tagma/checkpoint/store"
	"tagma/internal/node"
	"tagma/testnet/play"
	"tagma/testnet/play/processes"
)

// view is the reports of the replicas from about one moment, by replica. Replicas that did not answer are missing.
type view map[int]node.Report

const (
	lookEvery     = 10 * time.Millisecond
	transferEvery = time.Millisecond // short, because the transfer of a small state takes only a fraction of a second
	lookTimeout   = 2 * time.Second  // a replica answers from memory
)

// look asks all replicas for their reports at the same time.
func (s *stage) look(ids ...int) view {
	ctx, cancel := context.WithTimeout(s.ctx, lookTimeout)
	defer cancel()
	return s.Local().Ask(ctx, ids)
}

// executed is the highest sequence number that any replica says it has executed.
func (s *stage) executed() uint64 { return s.look(everybody...).executed() }

func (v view) executed() (most uint64) {
	for _, r := range v {
		most = max(most, r.Executed)
	}
	return most
}

// transferred is what a replica's transfers have brought since its process started. Late bytes are those that arrived
// after another donor had been asked for the same; their number depends on the machine.
type transferred struct{ bytes, late, rounds float64 }

// receives waits until the victim's metrics count a finished transfer, and adds what it brought to the result.
func (s *stage) receives(name string) (got transferred) {
	for began, finished := time.Now(), 0.0; finished == 0; {
		v, err := s.Local().Metrics(s.ctx, victim, "tagma_transfers_finished_total", "tagma_transfer_received_bytes_total",
			"tagma_transfer_late_bytes_total", "tagma_transfer_rounds_total")
		s.must(err)
		finished, got = v[0], transferred{bytes: v[1] - v[2], late: v[2], rounds: v[3]}
		if finished == 0 && time.Since(began) > lookTimeout {
			s.fail("replica %d came back without a transfer of the state: the case shows nothing", victim)
		}
	}
	s.result.tell(name, got.bytes/(1<<20), "MiB")
	s.result.tell("and late", got.late/(1<<20), "MiB")
	return got
}

// marks are the digests that replicas reported for stable checkpoints.
type marks map[uint64]map[int]string

// note compares replicas' reports with earlier ones. Its error names two replicas that report different digests for one
// checkpoint.
func (m marks) note(v view) error {
	for id, r := range v {
		if r.StableCheckpoint == 0 {
			continue
		}
		if m[r.StableCheckpoint] == nil {
			m[r.StableCheckpoint] = map[int]string{}
		}
		for other, digest := range m[r.StableCheckpoint] {
			if digest != r.StateDigest {
				return fmt.Errorf("replica %d says that the state at checkpoint %d is %.16s…, and replica %d said %.16s…", id,
					r.StableCheckpoint, r.StateDigest, other, digest)
			}
		}
		m[r.StableCheckpoint][id] = r.StateDigest
	}
	return nil
}

// shared reports whether another replica has reported the same digest for a replica's stable checkpoint.
func (m marks) shared(id int, r node.Report) bool {
	for other := range m[r.StableCheckpoint] {
		if other != id {
			return true
		}
	}
	return false
}

// until asks replicas for their reports again and again until they meet a condition. The function lacks says in words
// what is missing, "" if nothing is. The case fails if a replica ends by itself, if digests differ, or if this takes too
// long.
func (s *stage) until(what string, ids []int, lacks func(view) string) view {
	return s.every(lookEvery, what, ids, lacks)
}

// every does what until does, with a pause of the caller's choice between two requests for reports.
func (s *stage) every(pause time.Duration, what string, ids []int, lacks func(view) string) view {
	began := time.Now()
	for {
		v := s.look(ids...)
		s.must(s.marks.note(v))
		missing := lacks(v)
		if missing == "" {
			return v
		}
		if dead := s.Deaths(); len(dead) > 0 {
			s.fail("wait for %s: %s", what, dead[0])
		}
		if time.Since(began) > s.o.Within {
			s.late("waited %v for %s: %s; last seen: %s", s.o.Within, what, missing, v)
		}
		select {
		case <-s.ctx.Done():
			s.fail("wait for %s: %w", what, context.Cause(s.ctx))
		case <-time.After(pause):
		}
	}
}

// String describes the replicas in a line.
func (v view) String() string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(v)) {
		r := v[id]
		text := fmt.Sprintf("replica %d in view %d executed %d, stable %d, %s", id, r.View, r.Executed, r.StableCheckpoint, r.Health)
		if r.Recovery != nil && r.Recovery.Transfer != nil {
			text += fmt.Sprintf(" (%s %d at %.1f %%)", r.Recovery.Transfer.Phase, r.Recovery.Transfer.Checkpoint, 100*r.Recovery.Transfer.Share)
		}
		parts = append(parts, text)
	}
	return cmp.Or(strings.Join(parts, "; "), "no replica answers")
}

// follow waits until a replica that was started again has the others' state and keeps up with them. That means three
// things: no transfer is under way; another replica reports the same digest for the replica's stable checkpoint, and the
// replica has executed at least up to it; and the replica is at most within sequence numbers behind the one that
// executed most.
func (s *stage) follow(id int, within uint64) {
	s.until(fmt.Sprintf("replica %d to come back", id), everybody, func(v view) string {
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
}

// errOver says that a transfer ended before any report showed the share that the case waited for.
var errOver = errors.New("the transfer was over before: give more --keys")

// transferAt waits until the victim has fetched a share of the state, and returns what the victim then reports of it.
func (s *stage) transferAt(share float64) (at node.Transfer) {
	over := false
	what := fmt.Sprintf("%.0f %% of the transfer", 100*share)
	s.every(transferEvery, what, []int{victim}, func(v view) string {
		r, answered := v[victim]
		switch {
		case !answered:
			return "it does not answer"
		case r.Recovery != nil && r.Recovery.Transfer != nil:
			at = *r.Recovery.Transfer
		case r.Executed > 0:
			over = true
			return ""
		default:
			return "it has not begun"
		}
		if at.Share < share || at.Phase == "choosing" || at.Phase == "loading" {
			return fmt.Sprintf("%.1f %% are right", 100*at.Share)
		}
		return ""
	})
	if over {
		s.fail("wait for %s, last seen at %.1f %%: %w", what, 100*at.Share, errOver)
	}
	return at
}

// settle writes until every replica has taken a checkpoint after all that happened, reads every acknowledged write back, and
// waits until all replicas report the same digest for one stable checkpoint. All replicas run; no other client writes.
func (s *stage) settle() {
	s.overwrite(0, s.executed()+2*uint64(s.k))
	s.readBack()
	s.result.tell("keys read back", float64(s.Found()), "")
	s.until("one state digest of all replicas", everybody, func(v view) string {
		if why := halfway(v); why != "" {
			return why
		}
		if all := s.Replicas(); play.Agree(all, uint64(s.k)) {
			s.agreed = all[0]
			return ""
		}
		return "they are not equally far with one stable checkpoint"
	})
}

// verify checks what a case has left when all replicas have stopped: the journals keep the protocol's invariants, no
// replica ended by itself, and the stores, read again from the disk, have the certified root.
func (s *stage) verify(left *play.Remains) {
	s.must(left.Unclean)
	for _, x := range left.Strange {
		s.fail("%s", x.What)
	}
	for _, r := range left.Invariants {
		if !r.Held {
			s.fail("%s: %s", r.ID, r.Why)
		}
	}
	// A store need not hold the states between checkpoints, because replicas write several batches together.
	seq, digest := s.agreed.Stable, s.agreed.StateDigest
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

// halfway names a replica that does not answer or has not recovered yet; "" if there is none.
func halfway(v view) string {
	for _, id := range everybody {
		r, answered := v[id]
		switch {
		case !answered:
			return fmt.Sprintf("replica %d does not answer", id)
		case r.Recovery != nil && r.Recovery.Phase != node.PhaseFollowing && r.Recovery.Phase != node.PhaseSilent:
			return fmt.Sprintf("replica %d is still %s", id, r.Recovery.Phase)
		}
	}
	return ""
}

// root computes the root of a stopped replica's state at a sequence number from what lies on its disk.
func (s *stage) root(id int, seq uint64) (root [32]byte, err error) {
	opened, err := store.Open(filepath.Join(processes.Data(s.Local().Home(id)), node.StateDir), store.Options{})
	if err != nil {
		return root, err
	}
	root, err = opened.Load(seq)
	return root, errors.Join(err, opened.Close())
}
