package statemachine_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// script is a machine whose operations are words. Each word does something that an application may do.
type script struct{}

func (m script) Apply(tx statemachine.Txn, op []byte) []byte {
	word := strings.Fields(string(op))
	switch word[0] {
	case "put":
		tx.Put([]byte(word[1]), []byte(word[2]))
	case "delete":
		tx.Delete([]byte(word[1]))
	case "count": // raises a counter and returns it
		n, _ := tx.Get([]byte(word[1]))
		next := strconv.Itoa(len(n) + 1)
		tx.Put([]byte(word[1]), append(bytes.Clone(n), '.'))
		return []byte(next)
	case "put-and-panic":
		tx.Put([]byte(word[1]), []byte(word[2]))
		tx.Put([]byte("a new key"), []byte(word[2]))
		tx.Delete([]byte(word[1]))
		panic("the script says so")
	case "fail": // does what follows the two keys, passes the range between them, and panics
		m.Apply(tx, []byte(strings.Join(word[3:], " ")))
		m.Query(tx, []byte("down "+word[1]+" "+word[2]))
		m.Query(tx, []byte("range "+word[1]+" "+word[2]))
		panic("the script says so")
	case "put-and-exit": // ends its goroutine, as no application should
		tx.Put([]byte(word[1]), []byte(word[2]))
		runtime.Goexit()
	case "huge-write": // recovers, as no application should
		defer func() { _ = recover() }()
		tx.Put([]byte("before"), nil)
		tx.Put([]byte("huge"), make([]byte, 1<<20+1))
	case "clear": // deletes a range while it iterates
		for key := range tx.Range([]byte(word[1]), []byte(word[2])) {
			tx.Delete(key)
		}
	case "fill": // writes ahead of its own position while it iterates
		for key := range tx.Range([]byte(word[1]), []byte(word[2])) {
			if next := string(key) + "x"; len(next) < 6 {
				tx.Put([]byte(next), nil)
			}
		}
	case "clear-down":
		for key := range tx.RangeDown([]byte(word[1]), []byte(word[2])) {
			tx.Delete(key)
		}
	case "fill-down": // writes ahead of its own position, which is below it
		for key := range tx.RangeDown([]byte(word[1]), []byte(word[2])) {
			if len(key) > 1 {
				tx.Put(key[:len(key)-1], nil)
			}
		}
	case "rand":
		r := tx.Rand()
		return fmt.Appendf(nil, "%d %d %v %.3f", r.Uint64(), tx.Rand().IntN(1000), r.Perm(5), r.Float64())
	case "index":
		return strconv.AppendInt(nil, int64(tx.Index()), 10)
	default:
		return m.Query(tx, op)
	}
	return nil
}

func (m script) Query(r statemachine.Reader, op []byte) []byte {
	word := strings.Fields(string(op))
	switch word[0] {
	case "get":
		value, found := r.Get([]byte(word[1]))
		return fmt.Appendf(nil, "%s %t", value, found)
	case "range":
		var out []byte
		for key, value := range r.Range([]byte(word[1]), []byte(word[2])) {
			out = fmt.Appendf(out, "%s=%s ", key, value)
		}
		return out
	case "down":
		var out []byte
		for key, value := range r.RangeDown([]byte(word[1]), []byte(word[2])) {
			out = fmt.Appendf(out, "%s=%s ", key, value)
		}
		return out
	case "all":
		var out []byte
		for key, value := range r.Range(nil, nil) {
			out = fmt.Appendf(out, "%s=%s ", key, value)
		}
		return out
	case "all-recovered": // goes on, as no application should
		defer func() { _ = recover() }()
		return m.Query(r, []byte("all"))
	case "time":
		return fmt.Appendf(nil, "%d at %d", r.Time().UnixNano(), r.Seq())
	case "zeros":
		n, _ := strconv.Atoi(word[1])
		return make([]byte, n)
	case "reserved":
		return []byte(statemachine.ResultPanicked)
	case "write": // a query that tries to find a transaction
		_, writable := r.(statemachine.Txn)
		return strconv.AppendBool(nil, writable)
	case "panic":
		panic("the script says so")
	case "exit":
		runtime.Goexit()
	}
	return []byte("?")
}

// replica is a service with its storage. It is given one batch after the other.
type replica struct {
	*statemachine.Service
	t     *testing.T
	store *memstore.Store
	lim   statemachine.Limits
}

func newReplica(t *testing.T, lim statemachine.Limits) *replica {
	t.Helper()
	r := &replica{t: t, store: memstore.New(), lim: lim}
	r.restart(0)
	return r
}

// restart opens a new service on the same storage at a sequence number.
func (r *replica) restart(at uint64) {
	r.t.Helper()
	s, err := statemachine.New(script{}, r.store, r.lim)
	if err == nil {
		err = s.Load(at)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.Service = s
}

// batch applies the requests as the next batch.
func (r *replica) batch(requests ...statemachine.Request) []statemachine.Reply {
	r.t.Helper()
	return r.apply(statemachine.Batch{Seq: r.Executed() + 1, Time: 1, Requests: requests})
}

func (r *replica) apply(b statemachine.Batch) []statemachine.Reply {
	r.t.Helper()
	replies, err := r.Apply(b)
	if err != nil {
		r.t.Fatal(err)
	}
	return replies
}

func (r *replica) root() [32]byte {
	r.t.Helper()
	root, err := r.Checkpoint(r.Executed())
	if err != nil {
		r.t.Fatal(err)
	}
	return root
}

// read queries the newest state.
func (r *replica) read(op string) string {
	r.t.Helper()
	result, err := r.Query([]byte(op), r.Executed())
	if err != nil {
		r.t.Fatal(err)
	}
	return string(result)
}

// ask makes a request of client 'c'. The digest is computed from its operations.
func ask(session, t uint64, ops ...string) statemachine.Request {
	r := statemachine.Request{Client: [32]byte{'c'}, Session: session, T: t}
	copy(r.Digest[:], strings.Join(ops, ";"))
	for _, op := range ops {
		r.Ops = append(r.Ops, []byte(op))
	}
	return r
}

func acked(r statemachine.Request, below uint64) statemachine.Request {
	r.AckedBelow = below
	return r
}

// show returns a reply as text: outcome@seq and the results.
func show(r statemachine.Reply) string {
	return fmt.Sprintf("%v@%d%s", r.Outcome, r.Seq, r.Results)
}

func expect(t *testing.T, got []statemachine.Reply, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d replies, want %d", len(got), len(want))
	}
	for i := range got {
		if show(got[i]) != want[i] {
			t.Errorf("reply %d: got %q, want %q", i, show(got[i]), want[i])
		}
	}
}
