package node

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"tagma/pbft/wire"
)

// When a replica's state was wrong, the replica keeps evidence of that in DATA/diverged/CHECKPOINT.json, because the
// repair replaces the wrong state (K2).

// maxDivergences bounds how many such files a replica keeps, since a broken machine may cause very many.
const maxDivergences = 16

// Divergence is the evidence that a replica's state was wrong.
type Divergence struct {
	Replica     int    `json:"replica"`
	Checkpoint  uint64 `json:"checkpoint"`
	Own         string `json:"own"`         // the digest that the replica announced, in hex
	Stable      string `json:"stable"`      // the digest that a quorum signed, in hex
	Certificate []byte `json:"certificate"` // the quorum's stable certificate, as a StableNotice

	// The differences that were found when the state of a stable checkpoint replaced the wrong state; 0 until then.
	RepairedAt uint64   `json:"repaired_at,omitempty"` // sequence number of that checkpoint
	Differing  int      `json:"differing,omitempty"`   // number of keys of the store that were wrong
	Keys       [][]byte `json:"keys,omitempty"`        // the first of these keys
}

// diverged stores the evidence that this replica's own state was wrong.
func (w *witness) diverged(own wire.Digest, cert wire.StableCert) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept, err := DivergenceFiles(w.divergedDir())
	if err != nil || len(kept) >= maxDivergences {
		return err
	}
	return w.keepDivergence(&Divergence{
		Replica: int(w.self), Checkpoint: uint64(cert.Seq), Own: hex.EncodeToString(own[:]), Stable: hex.EncodeToString(cert.Digest[:]),
		Certificate: cert.Proof(),
	})
}

// mended adds to the stored evidence what was wrong. It is called once another state has replaced the wrong one.
func (w *witness) mended(seq uint64, first [][]byte, keys int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	files, err := DivergenceFiles(w.divergedDir())
	for _, path := range files {
		var d *Divergence
		if d, err = ReadDivergence(path); err != nil || d.RepairedAt > 0 {
			continue // the command that verifies evidence reports damaged files
		}
		if d.RepairedAt, d.Differing, d.Keys = seq, keys, first; err == nil {
			err = w.keepDivergence(d)
		}
	}
	if err != nil {
		w.log.Error("what was wrong with the state could not be kept", "error", err)
	}
}

func (w *witness) divergedDir() string { return filepath.Join(filepath.Dir(w.dir), DivergedDir) }

func (w *witness) keepDivergence(d *Divergence) error {
	dir := w.divergedDir()
	text, err := json.MarshalIndent(d, "", "  ")
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = replaceFile(filepath.Join(dir, fmt.Sprintf("%d.json", d.Checkpoint)), append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep what shows that the state was wrong in %s: %w", dir, err)
	}
	return nil
}

// DivergenceFiles lists the files of such evidence in a directory. The directory need not exist.
func DivergenceFiles(dir string) (paths []string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, f := range files {
		name, is := strings.CutSuffix(f.Name(), ".json")
		if _, err := strconv.ParseUint(name, 10, 64); is && err == nil {
			paths = append(paths, filepath.Join(dir, f.Name()))
		}
	}
	return paths, nil
}

// mostDivergence is more bytes than the largest file of such evidence has.
const mostDivergence = 4 << 20

// ReadDivergence reads a file of such evidence without verifying it.
func ReadDivergence(path string) (*Divergence, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, mostDivergence))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	d := new(Divergence)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return d, nil
}

// Verify checks that a quorum of the cluster signed another digest than the one that this replica says it announced.
func (d *Divergence) Verify(cfg *wire.Config, holds func([]wire.Claim) bool) error {
	cert, err := wire.ReadProof(cfg, d.Certificate, holds)
	switch {
	case err != nil:
		return err
	case uint64(cert.Seq) != d.Checkpoint || hex.EncodeToString(cert.Digest[:]) != d.Stable:
		return errors.New("its certificate is of another state")
	case d.Own == d.Stable:
		return errors.New("both states are the same")
	}
	return nil
}
