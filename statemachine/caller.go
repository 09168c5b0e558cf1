package statemachine

import (
	"context"
	"errors"
	"fmt"
)

// Caller carries operations to a machine and brings their results back. A *client.Client is one, with a cluster behind it,
// and so is a *clienttest.Client, with a machine in memory; the calls of a machine, such as kv.NewClient, take any.
type Caller interface {
	// Call has one operation executed. It returns the result as the machine gave it and the sequence number of the batch
	// that it was executed in. ReadOnly promises that the operation modifies nothing: the machine is asked to Query.
	Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error)
	// QueryAt has an operation that modifies nothing answered from the state after sequence number at. The error is
	// ErrNotRetained or ErrNotExecuted where there is no such state.
	QueryAt(ctx context.Context, op []byte, at uint64) (result []byte, err error)
}

// Named is a Caller that knows which machine it reaches.
type Named interface {
	Caller
	// Machine is what the cluster calls its machine; "" if that is not known.
	Machine() string
}

// ErrWrongMachine says that operations of one machine were meant for a cluster that runs another one. Nothing was sent.
var ErrWrongMachine = errors.New("wrong machine")

// errNoCaller is what calls end with that have nothing to go through.
var errNoCaller = errors.New("no client to go through; make these calls with NewClient, from a client of package client")

// For returns a caller for the operations of the machine called name. If c knows that it reaches another machine, every
// call ends with ErrWrongMachine and nothing is sent: what the one machine means by an operation is nothing to the other,
// or worse, something else.
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

// refused is a caller of which every call is in vain.
type refused struct{ why error }

func (r refused) Call(context.Context, []byte, bool) ([]byte, uint64, error) { return nil, 0, r.why }

func (r refused) QueryAt(context.Context, []byte, uint64) ([]byte, error) { return nil, r.why }

// Ask has one operation executed and its result decoded.
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

// AskAt has an operation that modifies nothing answered from the state after sequence number at, and its result decoded.
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
