package rescue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"tagma/checkpoint/backup"
	"tagma/checkpoint/store"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// batchBytes is roughly how many bytes are written at once.
const batchBytes = 1 << 20

// Unpack opens a store in an empty directory, and fills it with the state of a chain; with a nil chain it stays empty.
// The caller must close the store.
func Unpack(c *Chain, dir string, judge func(*backup.Head) error, progress func(share float64)) (*store.Store, error) {
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		return nil, err
	}
	if _, err = st.Load(0); err == nil && c != nil {
		err = Fill(st, c, judge, progress)
	}
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	return st, nil
}

// Fill puts the state of a chain into a store, one backup after the other. The store must hold nothing above the state
// to which the chain adds. Judge must accept each backup, and the resulting state must have the backup's root, before
// the store moves to it (X3, X6).
func Fill(st *store.Store, c *Chain, judge func(*backup.Head) error, progress func(share float64)) error {
	meter := &meter{of: c.bytes, tell: progress}
	var seq uint64
	var root [32]byte
	for _, path := range c.Paths {
		err := read(path, meter, func(r *backup.Reader) error {
			if err := judge(&r.Head); err != nil {
				return err
			}
			if err := r.Head.Follows(seq, root); err != nil {
				return err
			}
			seq, root = r.Head.Seq, r.Head.Root
			return fillOne(st, r)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func fillOne(st *store.Store, r *backup.Reader) error {
	stage, err := st.Stage(r.Head.Seq)
	if err != nil {
		return err
	}
	defer stage.Close()
	var batch []statemachine.Write
	size := 0
	for {
		w, err := r.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		ended := errors.Is(err, io.EOF)
		if !ended {
			batch, size = append(batch, w), size+len(w.Key)+len(w.Value)
		}
		if len(batch) > 0 && (ended || size >= batchBytes) {
			if err := stage.Write(batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		if !ended {
			continue
		}
		if stage.Tree().Root() != r.Head.Root {
			return backup.ErrRoot
		}
		return stage.Adopt()
	}
}

// Put fills the store of a home without data with the state of a chain. It does not change a home that has data, because
// otherwise the record of what the replica signed could be hidden or mixed with older data (D8.3). If it cannot restore
// everything, it removes what it made.
func Put(c *Chain, journalDir, stateDir string, judge func(*backup.Head) error, progress func(share float64)) (err error) {
	for _, dir := range []string{journalDir, stateDir} {
		held, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if len(held) > 0 {
			return fmt.Errorf("%s holds data: a replica that has its data needs no backup, it catches up by itself; if it is damaged and"+
				" given up, move it away first", dir)
		}
	}
	st, err := Unpack(c, stateDir, judge, progress)
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(stateDir))
	}
	return syncDir(filepath.Dir(stateDir))
}

// OfOrigin checks that a chain is the origin of a cluster. The cluster file has the root of the origin, so no signatures
// are needed. It compares the heads before anything is read.
func OfOrigin(c *Chain, file *cluster.File) (func(*backup.Head) error, bool) {
	o, last := &file.Origin, c.Last()
	is := o.Seq > 0 && last.Seq == o.Seq && last.Root == o.Root && last.Cluster == o.Cluster
	return func(h *backup.Head) error {
		if h.Seq > o.Seq || h.Cluster != o.Cluster {
			return errors.New("it is not of the state that the cluster began with")
		}
		return nil
	}, is
}

// OfCluster checks backups by the certificates of a cluster.
func OfCluster(file *cluster.File) (func(*backup.Head) error, error) {
	judge, err := Judge(file)
	if err != nil {
		return nil, err
	}
	return func(h *backup.Head) error { _, err := judge(h); return err }, nil
}

// Save writes a backup of the content of a store. It writes the whole file or nothing, and never overwrites another
// one. Before is the state of the backup to which this one adds; nil for a whole backup.
func Save(path string, file *cluster.File, cert wire.StableCert, since *Chain, before, after statemachine.StorageView) (records int,
	err error,
) {
	head := backup.Head{
		Cluster: file.ID, Epoch: file.Epoch, Seq: uint64(cert.Seq), Root: cert.Digest, Machine: file.Machine,
		Proof: cert.Proof(),
	}
	content := backup.All(after)
	if since != nil {
		last := since.Last()
		head.Since, head.SinceRoot, head.Before = last.Seq, last.Root, filepath.Base(since.Paths[len(since.Paths)-1])
		content = backup.Changes(before, after)
	}
	partial := path + ".partial"
	// Only the owner may read it, since it contains all data.
	out, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	records, err = backup.Write(out, head, content)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		if _, exists := os.Lstat(path); exists == nil {
			err = fmt.Errorf("%s exists, and nothing is overwritten: name another file", path)
		} else {
			err = os.Rename(partial, path)
		}
	}
	if err != nil {
		return records, errors.Join(err, os.Remove(partial))
	}
	return records, syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Served is the state of a backup. The machine answers queries about it. It is a statemachine.Caller that modifies
// nothing.
type Served struct {
	Seq uint64 // of the state

	dir     string
	store   *store.Store
	service *statemachine.Service
}

// Serve unpacks a chain that a quorum of the cluster certified, into a new directory in beside ("" stands for the
// directory of temporary files), and lets a machine read the state. Before that, it verifies all of it. The caller must
// close the Served.
func Serve(c *Chain, file *cluster.File, machine statemachine.Machine, beside string, progress func(share float64)) (*Served, error) {
	judge, err := OfCluster(file)
	if err != nil {
		return nil, err
	}
	s := &Served{Seq: c.Last().Seq}
	if s.dir, err = os.MkdirTemp(beside, ".tagma-state-*"); err != nil {
		return nil, err
	}
	if s.store, err = Unpack(c, s.dir, judge, progress); err == nil {
		s.service, err = statemachine.New(machine, s.store, file.Limits())
	}
	if err == nil {
		err = s.service.Load(s.Seq)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close removes the unpacked state.
func (s *Served) Close() (err error) {
	if s.service != nil {
		s.service.Close()
	}
	if s.store != nil {
		err = s.store.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Call implements statemachine.Caller, for operations that only read.
func (s *Served) Call(_ context.Context, op []byte, readOnly bool) ([]byte, uint64, error) {
	if !readOnly {
		return nil, 0, fmt.Errorf("change a backup: %w", errors.ErrUnsupported)
	}
	result, err := s.service.Query(op, s.Seq)
	return result, s.Seq, err
}

// QueryAt implements statemachine.Caller. A state older than the backup can be read if the machine keeps a history.
func (s *Served) QueryAt(_ context.Context, op []byte, at uint64) ([]byte, error) {
	return s.service.Query(op, at)
}
