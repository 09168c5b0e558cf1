package node

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// witness is the driver's Observer: it counts, logs, and keeps proof of misbehaviour in HOME/evidence.
type witness struct {
	dir    string
	counts *counters
	log    *slog.Logger

	mu        sync.Mutex
	convicted map[wire.ReplicaID]wire.EvidenceKind
	files     map[wire.ReplicaID]int // written since the start
}

// maxEvidenceFiles bounds what one misbehaving replica can make another one write between two starts.
const maxEvidenceFiles = 16

func newWitness(dir string, counts *counters, log *slog.Logger) *witness {
	return &witness{
		dir: dir, counts: counts, log: log,
		convicted: make(map[wire.ReplicaID]wire.EvidenceKind), files: make(map[wire.ReplicaID]int),
	}
}

// counters count what a replica did; they only rise.
type counters struct {
	received, refused, dropped, views, panics atomic.Uint64

	refusals refusals // what refused is made of
}

// Observe implements driver.Observer.
func (w *witness) Observe(effect port.Effect) {
	switch e := effect.(type) {
	case port.Entered:
		w.counts.views.Add(1)
		w.log.Info("a new view is active", "view", uint64(e.View))
	case port.Dropped:
		w.counts.dropped.Add(1)
		w.log.Debug("message dropped", "type", wire.TypeOf(e.Msg), "why", string(e.Why))
	case port.Diverged:
		w.log.Error("this replica's state contradicts a stable checkpoint: it no longer answers clients",
			"seq", uint64(e.Seq), "own", e.Own, "stable", e.Stable)
	case port.Accuse:
		w.accused(e.Evidence)
	default: // a Forgot ends the loop
	}
}

// accused keeps the proof, each replica's first ones.
func (w *witness) accused(e wire.Evidence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.convicted[e.Replica] = e.Kind
	if w.files[e.Replica] >= maxEvidenceFiles {
		return
	}
	w.files[e.Replica]++
	proof := wire.EncodeEvidence(e)
	hash := sha256.Sum256(proof) // in the name, so that nothing written before the last start is overwritten
	name := fmt.Sprintf("replica%d-%s-%s-%x", e.Replica, e.Kind, wire.TypeOf(e.First), hash[:4])
	if err := w.write(name, proof); err != nil {
		w.log.Error("evidence could not be kept", "error", err)
		return
	}
	w.log.Warn("a replica is proven to lie", "replica", int(e.Replica), "kind", string(e.Kind),
		"about", wire.TypeOf(e.First), "evidence", name)
}

func (w *witness) write(name string, data []byte) error {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of evidence: %w", err)
	}
	return os.WriteFile(filepath.Join(w.dir, name), data, 0o600)
}

// convictions copies who is proven to lie, by replica.
func (w *witness) convictions() map[wire.ReplicaID]wire.EvidenceKind {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[wire.ReplicaID]wire.EvidenceKind, len(w.convicted))
	for id, kind := range w.convicted {
		out[id] = kind
	}
	return out
}
