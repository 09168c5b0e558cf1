package client

import (
	"context"
	"errors"

	"tagma/client/status"
	"tagma/statemachine"
	"tagma/statemachine/attest"
)

// Interface is what an application uses of a client. A *Client implements it by sending operations to a cluster. For
// unit tests, a *clienttest.Client implements it with a machine in memory.
type Interface interface {
	statemachine.Named // Call, QueryAt and Machine: the methods that typed clients such as kv.NewClient's use

	Do(ctx context.Context, op []byte, opts ...CallOption) (Result, error)
	DoMany(ctx context.Context, ops [][]byte, opts ...CallOption) (Result, error)
	Submit(ctx context.Context, op []byte, opts ...CallOption) (*Call, error)
	SubmitMany(ctx context.Context, ops [][]byte, opts ...CallOption) (*Call, error)
	Query(ctx context.Context, op []byte, opts ...CallOption) (Result, error)
	Status(ctx context.Context) (*status.Status, error)
	Close() error
}

var _ Interface = (*Client)(nil)

// The reasons for which a call cannot begin.
var (
	errNotDialled = errors.New("this client was not made by Dial or DialCluster")
	errNoContext  = errors.New("the context is nil; give context.Background() at least")
	errNoCall     = errors.New("this call was not made by Submit")
)

// begins returns why a call cannot begin, or nil. The error is an ErrNotSent.
func (c *Client) begins(ctx context.Context) error {
	switch {
	case c == nil || c.shell == nil:
		return notSent(errNotDialled)
	case ctx == nil:
		return notSent(errNoContext)
	}
	return nil
}

// Do has the cluster execute one operation, in the machine's own encoding, and returns its result. If ctx ends before f+1
// replicas answered, the error is an *UnknownError: the operation may or may not be executed. If it was not sent yet, the
// error is an ErrNotSent. Operations that wait at the same time share one request, which changes nothing about each of them.
func (c *Client) Do(ctx context.Context, op []byte, opts ...CallOption) (Result, error) {
	return c.DoMany(ctx, [][]byte{op}, opts...)
}

// DoMany has several operations executed as one request, one after the other with no other operation between them. An
// operation that fails does not undo the others. It costs little more than a single operation.
func (c *Client) DoMany(ctx context.Context, ops [][]byte, opts ...CallOption) (Result, error) {
	if err := c.begins(ctx); err != nil {
		return Result{}, err
	}
	return c.shell.do(ctx, ops, gather(c.shell.semantics, opts))
}

// Query is Do for an operation that modifies nothing: the machine executes it by Query instead of Apply. It is ordered
// like any other operation, so it sees everything that was acknowledged before it was sent.
func (c *Client) Query(ctx context.Context, op []byte, opts ...CallOption) (Result, error) {
	return c.Do(ctx, op, append(opts[:len(opts):len(opts)], ReadOnly())...)
}

// QueryAt has the machine answer an operation that modifies nothing on the state after sequence number at, without
// ordering it. It returns the result on which f+1 replicas agree. The error is ErrNotRetained or ErrNotExecuted if the
// replicas say so, and wraps the context's error if too few replicas agreed in time.
func (c *Client) QueryAt(ctx context.Context, op []byte, at uint64) ([]byte, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	if c.shell.observer == nil {
		return c.shell.ask(ctx, op, at)
	}
	w := c.shell.begin(ctx, [][]byte{op}, CallInfo{CallOptions: CallOptions{ReadOnly: true}, Past: true, At: at})
	result, err := c.shell.ask(ctx, op, at)
	if w != nil {
		e, _ := w.end(RequestID{}, Result{}, err)
		w.End(e)
	}
	return result, err
}

// Call has one operation executed under the client's semantics, for typed clients (statemachine.Caller).
func (c *Client) Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	do := c.Do
	if readOnly {
		do = c.Query
	}
	done, err := do(ctx, op)
	if err != nil {
		return nil, 0, err
	}
	return done.Output(), done.Seq, nil
}

// Submit sends one operation and returns before its result, which Call.Wait returns. It blocks while more operations
// wait than the next requests can carry. If ctx ends meanwhile, the error is an ErrNotSent.
func (c *Client) Submit(ctx context.Context, op []byte, opts ...CallOption) (*Call, error) {
	return c.SubmitMany(ctx, [][]byte{op}, opts...)
}

// SubmitMany is Submit for several operations in one request, as in DoMany.
func (c *Client) SubmitMany(ctx context.Context, ops [][]byte, opts ...CallOption) (*Call, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	return c.shell.submit(ctx, ops, gather(c.shell.semantics, opts))
}

// Status is Inquire for the client's cluster, with its key. It opens links of its own, which do not count against the
// links that replicas allow for requests. About one call a second is not too much for the replicas.
func (c *Client) Status(ctx context.Context) (*status.Status, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	return Inquire(ctx, c.cluster, c.key)
}

// Machine is the name of the cluster's state machine in the cluster file. Typed clients refuse a cluster that runs
// another machine (statemachine.For); Do sends whatever it is given.
func (c *Client) Machine() string {
	if c == nil {
		return ""
	}
	return c.cluster.Machine()
}

// Members are the replicas of the client's cluster, as its file has them, in the form in which certificates are checked.
func (c *Client) Members() attest.Members {
	if c == nil {
		return attest.Members{}
	}
	return c.cluster.Members()
}

// Close ends the session and its links and waits for all goroutines. Unfinished calls end with an *UnknownError;
// best-effort operations get 100 ms to be sent. It may be called more than once.
func (c *Client) Close() error {
	if c == nil || c.close == nil {
		return nil
	}
	return c.close()
}
