package rescue

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/checkpoint/store"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// kvBackup is a certified backup of two states of the key-value machine: a is 1 after the first operation, and 2 after the
// second.
func (s *site) kvBackup() *Chain {
	s.t.Helper()
	st, err := store.Open(filepath.Join(s.t.TempDir(), "state"), store.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	service, err := statemachine.New(kv.Machine{History: 1000}, st, s.made.File.Limits())
	if err != nil {
		s.t.Fatal(err)
	}
	defer service.Close()
	if _, err := st.Load(0); err != nil {
		s.t.Fatal(err)
	}
	if err := service.Load(0); err != nil {
		s.t.Fatal(err)
	}
	k := uint64(s.cfg.CheckpointInterval)
	for seq := uint64(1); seq <= k; seq++ {
		value := "1"
		if seq > 1 {
			value = "2"
		}
		_, err := service.Apply(statemachine.Batch{Seq: seq, Time: 1, Requests: []statemachine.Request{
			{Client: [32]byte{1}, Session: 1, T: seq, AckedBelow: seq, Ops: [][]byte{kv.Put([]byte("a"), []byte(value))}},
		}})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	root, err := service.Checkpoint(k)
	if err != nil {
		s.t.Fatal(err)
	}
	path := s.save("kv.bak", st, s.certify(k, root, 0, 1, 2), nil, nil)
	chain, err := Find(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return chain
}

// The machine reads a backup as it reads its own state, including former states. The backup does not change, and no
// temporary files remain.
func TestServe_TheMachineReadsABackup(t *testing.T) {
	s := newSite(t)
	chain, beside := s.kvBackup(), t.TempDir()
	served, err := Serve(chain, s.made.File, kv.Machine{History: 1000}, beside, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := kv.NewClient(served)
	if value, err := calls.Get(t.Context(), "a"); err != nil || string(value) != "2" {
		t.Errorf("a is %q, %v", value, err)
	}
	if value, err := calls.GetAt(t.Context(), "a", 1); err != nil || string(value) != "1" {
		t.Errorf("a was %q, %v", value, err)
	}
	if _, _, err := served.Call(t.Context(), kv.Put([]byte("a"), nil), false); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a change of a backup: %v", err)
	}
	if err := served.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(beside); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// A state that no quorum of the cluster signed is not read, and no temporary files remain.
func TestServe_RefusesTheBackupOfAnotherCluster(t *testing.T) {
	s := newSite(t)
	chain, beside := s.kvBackup(), t.TempDir()
	if _, err := Serve(chain, elsewhere(t), kv.Machine{}, beside, nil); err == nil || !strings.Contains(err.Error(), "it is of the cluster") {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(beside); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
