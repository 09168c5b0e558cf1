package clienttest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tagma/client"
	"tagma/client/status"
	"tagma/statemachine"
	"tagma/statemachine/memstore"
)

// Start is the agreed time of the first operations, unless a test sets another one.
var Start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The limits of the imitated cluster are those of a newly made cluster.
const (
	maxOps     = 256
	maxOpBytes = 256 << 10
)

// Client is a client.Interface over a machine in memory. Its methods may be used by several goroutines.
type Client struct {
	shared *shared
	key    [32]byte

	mu     sync.Mutex
	last   uint64 // number of the last request
	closed bool
}

// shared is what all callers of one machine have in common.
type shared struct {
	machine string

	mu      sync.Mutex
	service *statemachine.Service
	store   *memstore.Store
	broken  error
	now     time.Time
	faults  []fault
	status  *status.Status
}

// New runs a machine, beginning with the state of a new cluster. Name is the machine's name in the cluster file.
func New(name string, m statemachine.Machine) *Client {
	s := &shared{machine: name, store: memstore.New(), now: Start}
	if m == nil {
		s.broken = errors.New("clienttest: there is no machine; give New one")
	} else {
		s.service, s.broken = statemachine.New(m, s.store, statemachine.Limits{
			MaxRequestCost: statemachine.DefaultMaxRequestCost, Rules: statemachine.NewestRules,
			FirstVersion: statemachine.FirstVersion(m),
		})
	}
	return &Client{shared: s, key: [32]byte{1}}
}

// As returns another caller of the same machine, with its own key; the machine distinguishes callers by Txn.Client. The
// key of the first caller is a 1 followed by zeros.
func (c *Client) As(key [32]byte) *Client {
	if c == nil {
		return nil
	}
	return &Client{shared: c.shared, key: key}
}

// Key is the caller's public key.
func (c *Client) Key() [32]byte {
	if c == nil {
		return [32]byte{}
	}
	return c.key
}

// SetTime sets the agreed time of the following operations. Agreed time never goes back, so an earlier time changes nothing.
func (c *Client) SetTime(to time.Time) {
	c.with(func(s *shared) {
		if to.After(s.now) {
			s.now = to
		}
	})
}

// Pass advances the agreed time.
func (c *Client) Pass(d time.Duration) {
	c.with(func(s *shared) { s.now = s.now.Add(max(0, d)) })
}

// Seq is the sequence number of the last batch. Every request is a batch of its own.
func (c *Client) Seq() (seq uint64) {
	c.with(func(s *shared) {
		if s.service != nil {
			seq = s.service.Executed()
		}
	})
	return seq
}

// Forget drops the states before sequence number seq, as replicas do: reading one of them then is an ErrNotRetained.
func (c *Client) Forget(seq uint64) {
	c.with(func(s *shared) { s.store.Discard(min(seq, s.store.Last())) })
}

// SetStatus sets what Status returns from now on; nil stands for healthy replicas.
func (c *Client) SetStatus(to *status.Status) { c.with(func(s *shared) { s.status = to }) }

func (c *Client) with(do func(*shared)) {
	if c == nil || c.shared == nil {
		return
	}
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	do(c.shared)
}

// errZero is the error of a client that was not made by New.
var errZero = errors.New("clienttest: this client was not made by New")

// begin gives a call its number, or returns why the call cannot be made.
func (c *Client) begin(ctx context.Context) (client.RequestID, error) {
	switch {
	case c == nil || c.shared == nil:
		return client.RequestID{}, notSent(errZero)
	case ctx == nil:
		return client.RequestID{}, notSent(errors.New("the context is nil; give context.Background() at least"))
	case ctx.Err() != nil:
		return client.RequestID{}, notSent(ctx.Err())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return client.RequestID{}, notSent(client.ErrClosed)
	}
	c.last++
	return client.RequestID{Client: c.key, Session: 1, Number: c.last}, nil
}

func notSent(why error) error { return fmt.Errorf("%w: %w", client.ErrNotSent, why) }

func check(ops [][]byte) error {
	if len(ops) == 0 {
		return client.ErrEmpty
	}
	if len(ops) > maxOps {
		return fmt.Errorf("%w: %d operations in a request; send 1 to %d at once", client.ErrTooLarge, len(ops), maxOps)
	}
	for i, op := range ops {
		if len(op) > maxOpBytes {
			return fmt.Errorf("%w: operation %d has %d bytes; at most %d are allowed", client.ErrTooLarge, i, len(op), maxOpBytes)
		}
	}
	return nil
}

// execute executes a request as the next batch.
func (s *shared) execute(id client.RequestID, ops [][]byte, readOnly bool) (client.Result, error) {
	if s.broken != nil {
		return client.Result{}, s.broken
	}
	seq := s.service.Executed() + 1
	replies, err := s.service.Apply(statemachine.Batch{Seq: seq, Time: s.now.UnixNano(), Requests: []statemachine.Request{{
		Client: id.Client, Session: id.Session, T: id.Number, AckedBelow: id.Number, ReadOnly: readOnly, Ops: ops,
	}}})
	if err == nil {
		err = s.service.Flush()
	}
	if err != nil {
		s.broken = fmt.Errorf("clienttest: %w", err)
		return client.Result{}, s.broken
	}
	if r := replies[0]; r.Outcome != statemachine.OutcomeExecuted {
		return client.Result{}, fmt.Errorf("clienttest: request %d is answered with %v", id.Number, r.Outcome)
	}
	return client.Result{Seq: seq, Outputs: replies[0].Results, Request: id}, nil
}
