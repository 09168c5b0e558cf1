package rescue

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/checkpoint/journal"
	"tagma/checkpoint/store"
	"tagma/internal/cluster"
	"tagma/pbft/wire"
	"tagma/statemachine"
)

// disk has the data of a replica: a journal with certificates, and no state yet.
func (s *site) disk(certs ...wire.StableCert) *Disk {
	s.t.Helper()
	dir := s.t.TempDir()
	d := &Disk{Cluster: s.made.File, Journal: filepath.Join(dir, "journal"), State: filepath.Join(dir, "state"), Scratch: s.t.TempDir()}
	s.journal(d, certs...)
	return d
}

func (s *site) journal(d *Disk, certs ...wire.StableCert) {
	s.t.Helper()
	entries := []journal.Entry{{Data: wire.EncodeRecord(&wire.Head{Cluster: s.cfg.Cluster})}}
	for i := range certs {
		entries = append(entries, journal.Entry{Data: wire.EncodeRecord(&wire.Stable{Cert: certs[i]})})
	}
	j, err := journal.Create(d.Journal, entries, journal.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// state writes one key at each sequence number and returns the roots of the resulting states.
func state(t *testing.T, dir string, value string, seqs ...uint64) (roots []wire.Digest) {
	t.Helper()
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Load(0); err != nil {
		t.Fatal(err)
	}
	for _, seq := range seqs {
		w := statemachine.Write{Key: []byte{byte(seq)}, Value: []byte(value)}
		if err := st.Write([]statemachine.WriteSet{{Seq: seq, Writes: []statemachine.Write{w}}}); err != nil {
			t.Fatal(err)
		}
		root, err := st.Checkpoint(seq)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return roots
}

// sums are the files under a directory.
func sums(t *testing.T, dir string) (out []byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		sum := sha256.Sum256(content)
		out = append(append(out, path...), sum[:]...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// D8.3, K1: from the disk of a replica that is not running, the state after the newest complete checkpoint is read.
// Nothing on the disk changes.
func TestDisk_GivesTheNewestStateThatIsCertified(t *testing.T) {
	s := newSite(t)
	k := uint64(s.cfg.CheckpointInterval)
	for name, c := range map[string]struct {
		lay  func(d *Disk)
		want uint64
	}{
		"both checkpoints":                    {func(*Disk) {}, 2 * k},
		"what is executed above is left out":  {func(d *Disk) { above(t, d.State, 2*k) }, 2 * k},
		"a crash left a part of the next one": {func(d *Disk) { state(t, store.Next(d.State), "other", k) }, 2 * k},
		"a crash left the next one alone": {func(d *Disk) {
			if err := os.Rename(d.State, store.Next(d.State)); err != nil {
				t.Fatal(err)
			}
		}, 2 * k},
		"the newest one is not the certified": {func(d *Disk) {
			if err := os.RemoveAll(d.State); err != nil {
				t.Fatal(err)
			}
			state(t, d.State, "value", k)
			above(t, d.State, k)
		}, k},
	} {
		t.Run(name, func(t *testing.T) {
			roots := state(t, filepath.Join(t.TempDir(), "model"), "value", k, 2*k)
			d := s.disk(s.certify(k, roots[0], 0, 1, 2), s.certify(2*k, roots[1], 1, 2, 3))
			state(t, d.State, "value", k, 2*k)
			c.lay(d)
			before := sums(t, filepath.Dir(d.Journal))
			still, err := d.Read()
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := still.Store.Close(); err != nil {
					t.Error(err)
				}
			}()
			if uint64(still.Cert.Seq) != c.want || still.Reach != 2*k {
				t.Errorf("took the state after %d of a journal up to %d, want %d", still.Cert.Seq, still.Reach, c.want)
			}
			path := s.save("disk.bak", still.Store, still.Cert, nil, nil)
			chain, err := Find(path)
			if err != nil {
				t.Fatal(err)
			}
			if report, err := Verify(chain, s.made.File, nil); err != nil || report.Keys != int(c.want/k) {
				t.Errorf("%+v, %v", report, err)
			}
			if !bytes.Equal(before, sums(t, filepath.Dir(d.Journal))) {
				t.Error("the disk is not as it was")
			}
		})
	}
}

// above writes one more batch, at+1, to a store. No checkpoint includes it.
func above(t *testing.T, dir string, at uint64) {
	t.Helper()
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Load(at)
	w := statemachine.Write{Key: []byte("above"), Value: []byte("x")}
	if err = errors.Join(err, st.Write([]statemachine.WriteSet{{Seq: at + 1, Writes: []statemachine.Write{w}}}), st.Close()); err != nil {
		t.Fatal(err)
	}
}

// If no quorum of the cluster signed a state, or its disk is in use, no backup is made of it. The error is one line with
// the reason.
func TestDisk_RefusesWhatIsNotCertified(t *testing.T) {
	s := newSite(t)
	k := uint64(s.cfg.CheckpointInterval)
	root := state(t, filepath.Join(t.TempDir(), "model"), "value", k)[0]
	good := s.certify(k, root, 0, 1, 2)
	forged := s.certify(k, root, 0, 1, 2)
	forged.Checkpoints[2].Sig = forged.Checkpoints[1].Sig
	for name, c := range map[string]struct {
		certs []wire.StableCert
		lay   func(d *Disk)
		want  string
	}{
		"two signers":              {[]wire.StableCert{s.certify(k, root, 0, 1)}, nil, "does not hold in this cluster"},
		"a forged signature":       {[]wire.StableCert{forged}, nil, "does not hold in this cluster"},
		"the root of another":      {[]wire.StableCert{s.certify(k, wire.Digest{1}, 0, 1, 2)}, nil, "take the backup from another replica's disk"},
		"no checkpoint yet":        {nil, nil, "no checkpoint has become stable"},
		"a lost state":             {[]wire.StableCert{good}, func(d *Disk) { remove(t, d.State) }, "is its disk mounted?"},
		"a lost journal":           {[]wire.StableCert{good}, func(d *Disk) { remove(t, d.Journal) }, "which would certify the state"},
		"a replica of another one": {[]wire.StableCert{good}, func(d *Disk) { d.Cluster = elsewhere(t) }, "does not hold in this cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			d := s.disk(c.certs...)
			state(t, d.State, "value", k)
			if c.lay != nil {
				c.lay(d)
			}
			if _, err := d.Read(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v; want it to say %q", err, c.want)
			}
		})
	}
}

// A disk whose replica runs is not read, no matter whether its journal or its store is in use.
func TestDisk_RefusesARunningNode(t *testing.T) {
	s := newSite(t)
	k := uint64(s.cfg.CheckpointInterval)
	root := state(t, filepath.Join(t.TempDir(), "model"), "value", k)[0]
	d := s.disk(s.certify(k, root, 0, 1, 2))
	state(t, d.State, "value", k)
	read := func(what string) {
		t.Helper()
		if _, err := d.Read(); !errors.Is(err, ErrRuns) {
			t.Errorf("with an open %s: %v", what, err)
		}
		remove(t, d.Scratch)
	}
	j, _, err := journal.Open(d.Journal, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read("journal")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(d.State, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	read("state")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	still, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	if err := still.Store.Close(); err != nil {
		t.Error(err)
	}
}

// D8.12: the state with which a cluster began needs no certificate.
func TestDisk_GivesWhatTheClusterBeganWith(t *testing.T) {
	s := newSite(t)
	k := uint64(s.cfg.CheckpointInterval)
	root := state(t, filepath.Join(t.TempDir(), "model"), "value", k)[0]
	d := s.disk()
	remove(t, d.Journal)
	state(t, d.State, "value", k)
	s.made.File.Origin = cluster.Origin{Cluster: [32]byte{1}, Seq: k, Root: cluster.Key(root)}
	still, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	if uint64(still.Cert.Seq) != k || len(still.Cert.Checkpoints) != 0 {
		t.Errorf("took %+v", still.Cert)
	}
	if err := still.Store.Close(); err != nil {
		t.Error(err)
	}
}

func remove(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}

func elsewhere(t *testing.T) *cluster.File {
	t.Helper()
	other, err := cluster.Init(cluster.InitOptions{Replicas: 4, BasePort: 1, Clients: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	return other.File
}
