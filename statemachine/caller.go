package statemachine

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Caller sends operations to a machine and returns their results. A *client.Client is a Caller that sends operations to
// a cluster; a *clienttest.Client is one that has a machine in memory. The typed clients of a machine, such as
// kv.NewClient returns, work with any Caller.
type Caller interface {
	// Call makes the cluster execute one operation. It returns the machine's result and the sequence number of the batch
	// that executed the operation. With readOnly, the caller promises that the operation modifies nothing: the machine
	// then executes it by Query.
	Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error)
	// QueryAt makes the replicas answer an operation that modifies nothing on the state after sequence number at. If
	// that state is gone or does not exist yet, the error is ErrNotRetained or ErrNotExecuted.
	QueryAt(ctx context.Context, op []byte, at uint64) (result []byte, err error)
}

// Named is a Caller that knows which machine its cluster runs.
type Named interface {
	Caller
	// Machine is the name of the machine in the cluster's file; "" if it is not known.
	Machine() string
}

// Prover is a Caller that can prove what a key of the application held, from one replica's answer.
type Prover interface {
	Caller
	// Prove returns what key held in the state of a stable checkpoint at sequence number from or above, with the proof.
	Prove(ctx context.Context, key []byte, from uint64) (*Proven, error)
}

// Proven is what a key of the application held in the state of a stable checkpoint, as verified with the members' keys.
type Proven struct {
	Key      []byte // the application's key, in the machine's own encoding
	Found    bool
	Value    []byte // only if Found
	Seq      uint64 // of the checkpoint: the state after this batch
	Document []byte // the proof, for others
}

// ErrNoProver says that a caller cannot prove reads.
var ErrNoProver = errors.New("this client cannot prove what a key holds; use one that client.Dial made")

// ErrWrongMachine says that operations of one machine were about to be sent to a cluster that runs another one. Nothing
// was sent.
var ErrWrongMachine = errors.New("wrong machine")

// errNoCaller is the error of calls on a typed client without a caller.
var errNoCaller = errors.New("no client to go through; make these calls with NewClient, from a client of package client")

// For returns a caller for the operations of the machine called name. If c knows that its cluster runs another machine,
// every call ends with ErrWrongMachine and nothing is sent: the other machine would not understand the operation, or
// would take it for a different one.
func For(c Caller, name string) Caller {
	if c == nil {
		return refused{errNoCaller}
	}
	if named, ok := c.(Named); ok {
		if is := named.Machine(); is != "" && is != name {
			return refused{fmt.Errorf("%w: the cluster runs the machine %s, and these calls are for %s; use those of %s, or the cluster file of"+
				" a cluster of %s", ErrWrongMachine, is, name, is, name)}
		}
	}
	return c
}

// refused is a caller whose calls all fail with the same error.
type refused struct{ why error }

func (r refused) Call(context.Context, []byte, bool) ([]byte, uint64, error) { return nil, 0, r.why }

func (r refused) QueryAt(context.Context, []byte, uint64) ([]byte, error) { return nil, r.why }

func (r refused) Prove(context.Context, []byte, uint64) (*Proven, error) { return nil, r.why }

// Ask makes the cluster execute one operation, and decodes its result.
func Ask[T any](ctx context.Context, c Caller, op []byte, decode func([]byte) (T, error), readOnly bool) (out T, seq uint64, err error) {
	if c == nil {
		return out, 0, errNoCaller
	}
	result, seq, err := c.Call(ctx, op, readOnly)
	if err != nil {
		return out, 0, err
	}
	out, err = decode(result)
	return out, seq, err
}

// AskAt makes the replicas answer an operation that modifies nothing on the state after sequence number at, and decodes
// the result.
func AskAt[T any](ctx context.Context, c Caller, op []byte, decode func([]byte) (T, error), at uint64) (out T, err error) {
	if c == nil {
		return out, errNoCaller
	}
	result, err := c.QueryAt(ctx, op, at)
	if err != nil {
		return out, err
	}
	return decode(result)
}

// Watcher is a Caller whose machine's changes can be followed; see the method Watch of package client's Client.
type Watcher interface {
	Caller
	Watch(ctx context.Context, start, end []byte, after uint64) iter.Seq2[Update, error]
}

// Watch follows changes through a caller. If the caller cannot do so, the error is ErrNotFollowed.
func Watch(ctx context.Context, c Caller, start, end []byte, after uint64) iter.Seq2[Update, error] {
	if w, is := c.(Watcher); is {
		return w.Watch(ctx, start, end, after)
	}
	return func(yield func(Update, error) bool) {
		err := ErrNotFollowed
		switch c := c.(type) {
		case nil:
			err = errNoCaller
		case refused:
			err = c.why
		}
		yield(Update{}, err)
	}
}
