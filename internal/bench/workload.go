package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"tagma/statemachine/kv"
)

// workload makes requests. With the same options it makes the same requests, whichever clients send them.
type workload struct{ opt *Options }

// Request is the operations that one client sends in one request.
type Request struct {
	Read   bool     // all keys are read; otherwise all are put
	Keys   [][]byte // one for each operation
	Values [][]byte // to be put, one for each key; nil for reads
}

// Operations returns the operations of the key-value machine.
func (r *Request) Operations() [][]byte {
	ops := make([][]byte, len(r.Keys))
	for i, key := range r.Keys {
		if r.Read {
			ops[i] = kv.Get(key)
		} else {
			ops[i] = kv.Put(key, r.Values[i])
		}
	}
	return ops
}

// stride scatters the keys. It is a prime larger than any number of keys in use, so that every key is used before any
// key repeats.
const stride = 2_654_435_761

// request returns the operations with the numbers first to first+n−1.
func (w workload) request(first, n int) Request {
	random := rand.New(rand.NewPCG(w.opt.Seed, uint64(first)))
	r := Request{Read: random.IntN(100) < w.opt.Reads}
	for i := range n {
		if r.Read {
			r.Keys = append(r.Keys, key(random.Uint64N(uint64(w.opt.Keys))))
			continue
		}
		place := uint64(first+i) % uint64(w.opt.Keys)
		r.Keys = append(r.Keys, key(place*stride%uint64(w.opt.Keys)))
		r.Values = append(r.Values, value(random, w.opt.ValueBytes))
	}
	return r
}

func key(number uint64) []byte { return fmt.Appendf(nil, "bench/%09d", number) }

// value is random, so that it cannot be compressed anywhere between client and disk.
func value(random *rand.Rand, size int) []byte {
	v := make([]byte, 0, size+8)
	for len(v) < size {
		v = binary.LittleEndian.AppendUint64(v, random.Uint64())
	}
	return v[:size]
}

// judge checks that the machine did what the request says. A get of a key that was never put is no error.
func (r *Request) judge(outputs [][]byte) error {
	if len(outputs) != len(r.Keys) {
		return fmt.Errorf("%d results for %d operations", len(outputs), len(r.Keys))
	}
	for _, output := range outputs {
		var err error
		if r.Read {
			_, err = kv.DecodeGet(output)
		} else {
			_, err = kv.DecodePut(output)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
