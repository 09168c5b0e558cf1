package tagmatest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// began is the agreed time of the first batch. It is not read from a clock.
const began = int64(1_700_000_000_000_000_000)

// run executes the operations on a machine, under these conditions.
func (r *record) run(newMachine func() statemachine.Machine, ops [][]byte, c conditions) {
	time.Sleep(c.ahead) // takes no real time, because it runs in a bubble
	store := memstore.New()
	first := firstVersion(newMachine(), ops)
	service := r.serve(newMachine(), store, first)
	r.results = make([][]byte, 2*len(ops))
	numbers := make([]uint64, len(callers))
	for begin := 0; begin < len(ops); begin += batchOps {
		some := ops[begin:min(begin+batchOps, len(ops))]
		seq := uint64(begin/batchOps + 1)
		b := statemachine.Batch{Seq: seq, Time: began + int64(seq)*int64(time.Second)}
		for _, request := range requests(some, c.apart) {
			caller := int(seq) % len(callers)
			numbers[caller]++
			number := numbers[caller]
			b.Requests = append(b.Requests, statemachine.Request{
				Client: callers[caller], Session: 1, T: number, AckedBelow: number, Digest: sha256.Sum256(binary.BigEndian.AppendUint64(nil, number)), Ops: request,
			})
		}
		replies, err := service.Apply(b)
		if err != nil { // not an error of the store, which never fails
			r.note("the machine stops every replica: %v", err)
			return
		}
		at := begin
		for _, reply := range replies {
			at += copy(r.results[at:], reply.Results)
		}
		if c.flush || c.reload {
			must(service.Flush())
		}
		if c.reload {
			service = r.serve(newMachine(), store, first)
			must(service.Load(seq))
		}
		for i, op := range some {
			r.results[len(ops)+begin+i] = ask(service, op, seq)
		}
		r.states = append(r.states, [32]byte(ask(service, digestOp, seq)))
		if c.ahead > 0 {
			time.Sleep(time.Second)
		}
	}
}

// callers are the keys of the clients. Successive batches are from different clients.
var callers = [][32]byte{{1}, {2}, {3}}

// requests puts operations into one request, or into one request each.
func requests(ops [][]byte, apart bool) (all [][][]byte) {
	if !apart {
		return [][][]byte{ops}
	}
	for _, op := range ops {
		all = append(all, [][]byte{op})
	}
	return all
}

// firstVersion is the version at which the state begins: if an operation is an upgrade, the version before the first
// one, and otherwise that of a new cluster.
func firstVersion(m statemachine.Machine, ops [][]byte) int {
	if v, is := m.(statemachine.Versioned); is {
		oldest, newest := v.Versions()
		for first := oldest; first < newest; first++ {
			upgrade := statemachine.Upgrade(first + 1)
			if slices.ContainsFunc(ops, func(op []byte) bool { return bytes.Equal(op, upgrade) }) {
				return first
			}
		}
	}
	return statemachine.FirstVersion(m)
}

func (r *record) serve(m statemachine.Machine, store statemachine.Storage, first int) *statemachine.Service {
	service, err := statemachine.New(&inspected{m, r}, store, statemachine.Limits{
		MaxRequestCost: statemachine.DefaultMaxRequestCost, Rules: statemachine.NewestRules, FirstVersion: first,
	})
	must(err)
	service.ObservePanics(func(p statemachine.Panic) {
		r.note("the operation %q went wrong: %v\n%s", p.Op, p.Value, p.Stack)
	})
	return service
}

// ask executes a query on the newest state.
func ask(service *statemachine.Service, op []byte, seq uint64) []byte {
	result, err := service.Query(op, seq)
	must(err)
	return result
}

// must panics if an operation fails that cannot fail in memory.
func must(err error) {
	if err != nil {
		panic("tagmatest: " + err.Error())
	}
}

// note records the first thing that is wrong.
func (r *record) note(format string, args ...any) {
	if r.wrong == "" {
		r.wrong = fmt.Sprintf(format, args...)
	}
}

// digestOp is a query for the digest of all keys. It is recognised by its address, so that no application's operation
// is taken for it.
var digestOp = []byte("digest")

// inspected is a machine whose calls are observed.
type inspected struct {
	statemachine.Machine
	r *record
}

// Unwrap lets the service find what else the machine implements.
func (m *inspected) Unwrap() statemachine.Machine { return m.Machine }

// Apply implements statemachine.Machine.
func (m *inspected) Apply(tx statemachine.Txn, op []byte) []byte {
	defer m.call("the operation", op)()
	return m.Machine.Apply(tx, op)
}

// Query implements statemachine.Machine.
func (m *inspected) Query(r statemachine.Reader, op []byte) []byte {
	if len(op) == 0 || &op[0] != &digestOp[0] {
		defer m.call("the query", op)()
		return m.Machine.Query(r, op)
	}
	all := sha256.New()
	var length [8]byte
	for key, value := range r.Range(nil, nil) {
		for _, b := range [][]byte{key, value} {
			binary.BigEndian.PutUint64(length[:], uint64(len(b)))
			all.Write(length[:])
			all.Write(b)
		}
	}
	return all.Sum(nil)
}

// call records that a call has begun, and returns the function that records its end.
func (m *inspected) call(what string, op []byte) (ended func()) {
	before, name := bytes.Clone(op), fmt.Sprintf("%s %q", what, op)
	m.r.calls.Add(1)
	m.r.doing.Store(&name)
	return func() {
		m.r.doing.Store(nil)
		if !bytes.Equal(before, op) {
			m.r.note("%s was changed by the machine, which must leave its bytes as they are", name)
		}
	}
}
