package tamper

import (
	"fmt"
	"slices"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/kv"
	"tagma/statemachine/memstore"
)

// service runs a machine on a store of its own.
func service(t *testing.T, m statemachine.Machine) (*statemachine.Service, *memstore.Store) {
	t.Helper()
	st := memstore.New()
	s, err := statemachine.New(m, st, statemachine.Limits{Window: 64, Sessions: 4, MaxResultBytes: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	return s, st
}

// held returns all keys of a state with their values, both those of the application and those of the service.
func held(t *testing.T, st *memstore.Store, at uint64) map[string]string {
	t.Helper()
	v, err := st.View(at)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	all := map[string]string{}
	for e, err := range v.Scan(nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		all[string(e.Key)] = string(e.Value)
	}
	return all
}

// The state differs in one bit of one key. No reply shows that.
func TestFlipper_OneKeyDiffersAndNoReply(t *testing.T) {
	broken := &Flipper{Machine: kv.Machine{}}
	wrong, wrongStore := service(t, broken)
	right, rightStore := service(t, kv.Machine{})
	do := func(seq uint64, ops ...[]byte) {
		t.Helper()
		b := statemachine.Batch{Seq: seq, Time: int64(seq), Requests: []statemachine.Request{
			{Client: [32]byte{1}, Session: 1, T: seq, Digest: [32]byte{byte(seq)}, Ops: ops},
		}}
		x, errX := wrong.Apply(b)
		y, errY := right.Apply(b)
		if errX != nil || errY != nil || fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("%v, %v: %v and %v", errX, errY, x, y)
		}
		if errX, errY = wrong.Flush(), right.Flush(); errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
	}
	differ := func(at uint64) (keys []string) {
		x, y := held(t, wrongStore, at), held(t, rightStore, at)
		for key := range y {
			if x[key] != y[key] {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		return keys
	}
	do(1, kv.Put([]byte("a"), []byte("1")), kv.Put([]byte("b"), []byte("1")))
	broken.Flip("d")
	do(2, kv.Get([]byte("a")), kv.Delete([]byte("none")))
	if d := differ(2); len(d) != 0 || broken.Flips() != 0 {
		t.Fatalf("nothing was written, and %q differ", d)
	}
	do(3, kv.Txn(nil, [][]byte{kv.Put([]byte("c"), []byte("1")), kv.Put([]byte("d"), []byte("1"))}, nil))
	d := differ(3)
	if len(d) != 1 || broken.Flips() != 1 {
		t.Fatalf("%q differ, %d flips", d, broken.Flips())
	}
	do(4, kv.Put([]byte("e"), []byte("1")))
	if again := differ(4); !slices.Equal(d, again) || broken.Flips() != 1 {
		t.Errorf("%q differ after the next operation", again)
	}
	do(5, kv.Put([]byte("d"), []byte("2")))
	if d := differ(5); len(d) != 0 {
		t.Errorf("%q differ once the key is written again", d)
	}
}
