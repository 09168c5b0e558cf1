package node

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/pbft/driver"
	"tagma/pbft/port"
	"tagma/pbft/wire"
)

// witness is an observer of the driver. It counts and logs what happens, and stores proofs of misbehaviour in HOME/evidence.
type witness struct {
	driver.Ignore
	dir    string
	self   wire.ReplicaID
	counts *counters
	log    *slog.Logger

	mu        sync.Mutex
	convicted map[wire.ReplicaID]string
	files     map[wire.ReplicaID]map[string]bool // by accused replica: names of the stored files
}

// maxEvidenceFiles bounds how many files a replica stores about one misbehaving replica.
const maxEvidenceFiles = 16

func newWitness(dir string, self wire.ReplicaID, counts *counters, log *slog.Logger) *witness {
	return &witness{
		dir: dir, self: self, counts: counts, log: log,
		convicted: make(map[wire.ReplicaID]string), files: make(map[wire.ReplicaID]map[string]bool),
	}
}

// recall convicts replicas by the evidence on the disk. Evidence is valid for ever, whoever wrote the file. Files that
// prove nothing are reported and not changed.
func (w *witness) recall(cfg *wire.Config) {
	paths, _ := filepath.Glob(filepath.Join(w.dir, "replica*-*"))
	holds := replica.Holds(crypto.NewVerifier(0, nil))
	for _, path := range paths {
		e, err := readEvidence(path)
		if err == nil {
			err = e.Verify(cfg, holds)
		}
		if err != nil {
			w.log.Warn("a file of evidence proves nothing", "file", filepath.Base(path), "error", err)
			continue
		}
		w.convicted[e.Replica] = string(e.Kind)
		w.note(e.Replica, filepath.Base(path))
	}
	for id, kind := range w.convicted {
		w.log.Warn("there is proof that a replica lies", "accused", int(id), "kind", kind, "files", len(w.files[id]))
	}
}

func readEvidence(path string) (wire.Evidence, error) {
	f, err := os.Open(path)
	if err != nil {
		return wire.Evidence{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, wire.MaxEvidence+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return wire.Evidence{}, err
	}
	return wire.DecodeEvidence(data)
}

// note adds a file of evidence to the list in memory.
func (w *witness) note(accused wire.ReplicaID, name string) {
	if w.files[accused] == nil {
		w.files[accused] = make(map[string]bool)
	}
	w.files[accused][name] = true
}

// counters count what a replica did; they never fall.
type counters struct {
	received, refused, dropped, views, panics atomic.Uint64

	refusals refusals  // the refused messages, by kind of link and cause
	peers    []byCause // by replica: the refused messages over its link, by cause
}

// Entered implements driver.Observer.
func (w *witness) Entered(wire.View, string) { w.counts.views.Add(1) }

// Dropped implements driver.Observer.
func (w *witness) Dropped(m wire.Message, why port.Reason) {
	w.counts.dropped.Add(1)
	w.log.Debug("message dropped", "type", wire.TypeOf(m), "why", string(why))
}

// Diverged implements driver.Observer.
func (w *witness) Diverged(own wire.Digest, cert wire.StableCert) {
	w.log.Error("this replica's state contradicts a stable checkpoint: it no longer answers clients",
		"seq", uint64(cert.Seq), "own", own, "stable", cert.Digest)
	if err := w.diverged(own, cert); err != nil {
		// No vote depends on this file (D6), so the replica continues.
		w.log.Error("the proof of it could not be kept", "error", err)
	}
}

// Split implements driver.Observer.
func (w *witness) Split(s wire.Seq, says []wire.Digest) {
	w.log.Error("replicas disagree on the state after a checkpoint, so that it can never be stable: the machine is not "+
		"deterministic, or disks are damaged", "seq", uint64(s), "states", states(says))
}

// states lists which replicas signed which digest, such as "ab12cd34ef56 by 0 1, 77aa00bb11cc by 2".
func states(says []wire.Digest) string {
	var parts []string
	at := make(map[wire.Digest]int)
	for id, d := range says {
		if d == (wire.Digest{}) {
			continue
		}
		i, known := at[d]
		if !known {
			i = len(parts)
			at[d] = i
			parts = append(parts, fmt.Sprintf("%x by", d[:6]))
		}
		parts[i] += fmt.Sprintf(" %d", id)
	}
	return strings.Join(parts, ", ")
}

// Accused implements driver.Observer: it stores the proof, unless enough proofs about the same replica are stored.
func (w *witness) Accused(e wire.Evidence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.convicted[e.Replica] = string(e.Kind)
	if len(w.files[e.Replica]) >= maxEvidenceFiles {
		return
	}
	proof := e.Encode()
	hash := sha256.Sum256(proof) // the hash is in the name, so that evidence that is found again gets the same file
	name := fmt.Sprintf("replica%d-%s-%s-%x", e.Replica, e.Kind, wire.TypeOf(e.First), hash[:4])
	if w.files[e.Replica][name] {
		return
	}
	w.note(e.Replica, name) // the file counts even if writing fails, since a liar can cause many attempts
	if err := w.write(name, proof); err != nil {
		// No vote depends on this file (D6), so the replica continues.
		w.log.Error("evidence could not be kept", "error", err)
		return
	}
	w.log.Warn("a replica is proven to lie", "accused", int(e.Replica), "kind", string(e.Kind),
		"about", wire.TypeOf(e.First), "evidence", name)
}

// write stores evidence completely or not at all, because half of it proves nothing.
func (w *witness) write(name string, data []byte) error {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return fmt.Errorf("make the directory of evidence: %w", err)
	}
	return replaceFile(filepath.Join(w.dir, name), data)
}

// convictions returns a copy of which replicas are proven to lie, and how.
func (w *witness) convictions() map[wire.ReplicaID]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[wire.ReplicaID]string, len(w.convicted))
	for id, kind := range w.convicted {
		out[id] = kind
	}
	return out
}
