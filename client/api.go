package client

import (
	"context"
	"errors"

	"tagma/client/status"
	"tagma/statemachine"
)

// Interface is what an application uses of a client. A *Client is one, with a cluster behind it, and a *clienttest.Client,
// with a machine in memory, for unit tests.
type Interface interface {
	statemachine.Named // Call, QueryAt, Machine: what the calls of a machine go through, such as those of kv.NewClient

	Do(ctx context.Context, op []byte, opts ...CallOption) (Result, error)
	DoMany(ctx context.Context, ops [][]byte, opts ...CallOption) (Result, error)
	Submit(ctx context.Context, op []byte, opts ...CallOption) (*Call, error)
	SubmitMany(ctx context.Context, ops [][]byte, opts ...CallOption) (*Call, error)
	Query(ctx context.Context, op []byte, opts ...CallOption) (Result, error)
	Status(ctx context.Context) (*status.Status, error)
	Close() error
}

var _ Interface = (*Client)(nil)

// Why a call cannot even begin.
var (
	errNotDialled = errors.New("this client was not made by Dial or DialCluster")
	errNoContext  = errors.New("the context is nil; give context.Background() at least")
	errNoCall     = errors.New("this call was not made by Submit")
)

// begins reports why a call cannot begin; the error is an ErrNotSent.
func (c *Client) begins(ctx context.Context) error {
	switch {
	case c == nil || c.shell == nil:
		return notSent(errNotDialled)
	case ctx == nil:
		return notSent(errNoContext)
	}
	return nil
}

// Do has one operation executed and returns its result. The operation is in the machine's own encoding. When ctx ends
// before f+1 replicas answered, the error is an *UnknownError: the operation may or may not be executed; or an ErrNotSent
// if it had not left yet. Operations that wait together are sent in one request, and each still is what it would be alone.
func (c *Client) Do(ctx context.Context, op []byte, opts ...CallOption) (Result, error) {
	return c.DoMany(ctx, [][]byte{op}, opts...)
}

// DoMany has several operations executed as one request: one after the other, with nothing between them, each for
// itself: one that fails does not undo the others. It costs little more than a single operation.
func (c *Client) DoMany(ctx context.Context, ops [][]byte, opts ...CallOption) (Result, error) {
	if err := c.begins(ctx); err != nil {
		return Result{}, err
	}
	return c.shell.do(ctx, ops, gather(c.shell.semantics, opts))
}

// Query is Do for an operation that modifies nothing: the machine is asked to Query instead of Apply. It is ordered like any
// other, so it sees everything that was acknowledged before it was sent.
func (c *Client) Query(ctx context.Context, op []byte, opts ...CallOption) (Result, error) {
	return c.Do(ctx, op, append(opts[:len(opts):len(opts)], ReadOnly())...)
}

// QueryAt has the machine answer an operation that modifies nothing on the state after sequence number at, and returns
// its result: what f+1 replicas say alike. Nothing is ordered. The error is ErrNotRetained or ErrNotExecuted when the
// replicas say so, and wraps the context's when too few agreed in time.
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

// Call has one operation executed under the client's semantics, for the calls of a machine (statemachine.Caller).
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

// Submit sends one operation and returns without its result, which Call.Wait gives. It blocks while as much waits to be
// sent as the next requests can carry; when ctx ends meanwhile, the error is an ErrNotSent.
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

// Status is Inquire for the client's cluster, under its key. It takes links of its own, which have room beside those of the
// requests: about one a second is no burden.
func (c *Client) Status(ctx context.Context) (*status.Status, error) {
	if err := c.begins(ctx); err != nil {
		return nil, err
	}
	return Inquire(ctx, c.cluster, c.key)
}

// Machine is the name of the state machine that the cluster runs, as its file has it. The calls of a machine refuse a
// cluster that runs another one (statemachine.For); Do sends whatever it is given.
func (c *Client) Machine() string {
	if c == nil {
		return ""
	}
	return c.cluster.Machine()
}

// Close ends the session and its links and waits for all goroutines. Calls under way end with an *UnknownError; best-effort
// ones get 100 ms to leave. It may be called more than once.
func (c *Client) Close() error {
	if c == nil || c.close == nil {
		return nil
	}
	return c.close()
}
