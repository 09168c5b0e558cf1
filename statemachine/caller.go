package statemachine

import "context"

// Caller carries operations to a machine and brings their results back. A *client.Client is one, with a cluster behind it;
// the calls of a machine, such as kv.NewClient, take any, so that an application is tested without a cluster by a few lines
// of its own.
type Caller interface {
	// Call has one operation executed. It returns the result as the machine gave it and the sequence number of the batch
	// that it was executed in. ReadOnly promises that the operation modifies nothing: the machine is asked to Query.
	Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error)
	// QueryAt has an operation that modifies nothing answered from the state after sequence number at. The error is
	// ErrNotRetained or ErrNotExecuted where there is no such state.
	QueryAt(ctx context.Context, op []byte, at uint64) (result []byte, err error)
}

// Ask has one operation executed and its result decoded.
func Ask[T any](ctx context.Context, c Caller, op []byte, decode func([]byte) (T, error), readOnly bool) (out T, seq uint64, err error) {
	result, seq, err := c.Call(ctx, op, readOnly)
	if err != nil {
		return out, 0, err
	}
	out, err = decode(result)
	return out, seq, err
}
