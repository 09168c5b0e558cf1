package clienttest

import (
	"bytes"
	"context"
	"fmt"

	"tagma/client"
	"tagma/client/status"
)

var _ client.Interface = (*Client)(nil)

// Machine is the name that was given to New.
func (c *Client) Machine() string {
	if c == nil || c.shared == nil {
		return ""
	}
	return c.shared.machine
}

// Do has one operation executed, like Do of client.Client.
func (c *Client) Do(ctx context.Context, op []byte, opts ...client.CallOption) (client.Result, error) {
	return c.DoMany(ctx, [][]byte{op}, opts...)
}

// DoMany has several operations executed in one batch, with nothing between them.
func (c *Client) DoMany(ctx context.Context, ops [][]byte, opts ...client.CallOption) (client.Result, error) {
	result, _, err := c.do(ctx, ops, opts)
	return result, err
}

func (c *Client) do(ctx context.Context, ops [][]byte, opts []client.CallOption) (client.Result, client.RequestID, error) {
	chosen := client.Gather(client.ExactlyOnce, opts...)
	if _, err := client.ParseSemantics(chosen.Semantics.String()); err != nil {
		return client.Result{}, client.RequestID{}, notSent(err)
	}
	if err := check(ops); err != nil {
		return client.Result{}, client.RequestID{}, err
	}
	id, err := c.begin(ctx)
	if err != nil {
		return client.Result{}, id, err
	}
	var result client.Result
	c.with(func(s *shared) {
		f := s.next(ops)
		if f.executes() {
			result, err = s.execute(id, cloned(ops), chosen.ReadOnly)
		}
		if failure := f.err(id); failure != nil && err == nil {
			result, err = client.Result{}, failure
		}
		if chosen.Semantics == client.BestEffort && f != NotSent { // a best-effort call returns no error, whatever happens
			result, err = client.Result{}, s.broken
		}
	})
	return result, id, err
}

// cloned copies operations, so that a machine's arguments do not change while it runs.
func cloned(ops [][]byte) [][]byte {
	copies := make([][]byte, len(ops))
	for i, op := range ops {
		copies[i] = bytes.Clone(op)
	}
	return copies
}

// Submit has one operation executed at once; the call has ended when Submit returns.
func (c *Client) Submit(ctx context.Context, op []byte, opts ...client.CallOption) (*client.Call, error) {
	return c.SubmitMany(ctx, [][]byte{op}, opts...)
}

// SubmitMany is Submit for several operations in one batch.
func (c *Client) SubmitMany(ctx context.Context, ops [][]byte, opts ...client.CallOption) (*client.Call, error) {
	result, id, err := c.do(ctx, ops, opts)
	if err != nil && id == (client.RequestID{}) { // the call failed before it was given a number
		return nil, err
	}
	call, finish := client.NewCall(id)
	finish(result, err)
	return call, nil
}

// Query has the machine answer an operation that modifies nothing.
func (c *Client) Query(ctx context.Context, op []byte, opts ...client.CallOption) (client.Result, error) {
	return c.Do(ctx, op, append(opts[:len(opts):len(opts)], client.ReadOnly())...)
}

// Call has one operation executed, for typed clients (statemachine.Caller).
func (c *Client) Call(ctx context.Context, op []byte, readOnly bool) (result []byte, seq uint64, err error) {
	do := c.Do
	if readOnly {
		do = c.Query
	}
	done, err := do(ctx, op)
	return done.Output(), done.Seq, err
}

// QueryAt has an operation answered from the state after sequence number at. If a fault was injected, the call
// returns the error of a timeout.
func (c *Client) QueryAt(ctx context.Context, op []byte, at uint64) (result []byte, err error) {
	if err := check([][]byte{op}); err != nil {
		return nil, err
	}
	if _, err := c.begin(ctx); err != nil {
		return nil, err
	}
	c.with(func(s *shared) {
		switch {
		case s.broken != nil:
			err = s.broken
		case s.next([][]byte{op}) != none:
			err = fmt.Errorf("0 of 4 replicas answered, and no 2 of them alike: %w", context.DeadlineExceeded)
		default:
			result, err = s.service.Query(bytes.Clone(op), at)
		}
	})
	return result, err
}

// Status returns what SetStatus set, or the status of four healthy replicas.
func (c *Client) Status(ctx context.Context) (s *status.Status, err error) {
	if _, err := c.begin(ctx); err != nil {
		return nil, err
	}
	seq := c.Seq()
	c.with(func(of *shared) { s = of.status })
	if s != nil {
		return s, nil
	}
	s = &status.Status{Durable: "pessimistic", Quorum: 3, Answered: 4, Healthy: true, MayFail: 1}
	for i := range 4 {
		report := &status.Report{
			Replica: i, Active: true, Executed: seq, Handed: seq, Health: status.Healthy, Durability: s.Durable, Connected: []int{},
		}
		for other := range 4 {
			if other != i {
				report.Connected = append(report.Connected, other)
			}
		}
		s.Replicas = append(s.Replicas, status.Replica{Replica: i, Reachable: true, Report: report})
	}
	return s, nil
}

// Close ends this caller: its later calls fail with ErrNotSent. Other callers of the same machine continue.
func (c *Client) Close() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}
