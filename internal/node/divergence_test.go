package node

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"tagma/crypto"
	"tagma/internal/replica"
	"tagma/statemachine"
	"tagma/statemachine/kv"
)

// faultyMachine makes one mistake: when due is set, it writes a wrong value instead of executing the next
// operation.
type faultyMachine struct {
	statemachine.Machine
	due atomic.Bool
}

func (s *faultyMachine) Apply(tx statemachine.Txn, op []byte) []byte {
	if s.due.CompareAndSwap(true, false) {
		op = kv.Put([]byte("spoilt"), []byte("wrong"))
	}
	return s.Machine.Apply(tx, op)
}

// K2: after its state was repaired, a replica still has the evidence that the state was wrong, with a list of the wrong
// keys.
func TestK2_AReplicaKeepsWhatWasWrongWithItsState(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, 4, small)
	wrong := &faultyMachine{Machine: kv.Machine{}}
	for i := range 3 {
		b.start(i)
	}
	b.start(3, Options{Machine: wrong})
	l := b.load()
	l.put(10, 100)
	wrong.due.Store(true)
	dir := filepath.Join(b.home(3), DivergedDir)
	var d *Divergence
	b.until("it was found and mended", func([]Report) bool {
		l.put(10, 100)
		files, err := DivergenceFiles(dir)
		if err != nil || len(files) == 0 {
			return false
		}
		d, err = ReadDivergence(files[0])
		return err == nil && d.RepairedAt > 0
	})
	verify := func(d Divergence) error {
		return d.Verify(&b.nodes[3].home.Config, replica.Holds(crypto.NewVerifier(0, nil)))
	}
	if err := verify(*d); err != nil {
		t.Error(err)
	}
	names := fmt.Sprintf("%q", d.Keys)
	if d.Replica != 3 || d.Differing == 0 || d.RepairedAt < d.Checkpoint || len(d.Keys) == 0 {
		t.Errorf("kept %+v with the keys %s", d, names)
	}
	for name, change := range map[string]func(*Divergence){
		"another checkpoint":       func(d *Divergence) { d.Checkpoint++ },
		"another digest":           func(d *Divergence) { d.Stable = d.Own },
		"no difference":            func(d *Divergence) { d.Own = d.Stable },
		"a certificate that fails": func(d *Divergence) { d.Certificate = append([]byte(nil), d.Certificate[:len(d.Certificate)-1]...) },
	} {
		forged := *d
		if change(&forged); verify(forged) == nil {
			t.Errorf("%s: it proves something", name)
		}
	}
	if files, err := DivergenceFiles(filepath.Join(b.home(2), DivergedDir)); err != nil || len(files) > 0 {
		t.Errorf("a correct replica keeps %v, %v", files, err)
	}
}
