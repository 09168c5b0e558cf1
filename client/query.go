package client

import (
	"context"

	"tagma/pbft/wire"
)

// QueryAt has the machine answer an operation that modifies nothing on the state after sequence number at, and returns
// its result: what f+1 replicas say alike. Nothing is ordered. The error is ErrNotRetained or ErrNotExecuted when the
// replicas say so, and wraps the context's when too few agreed in time.
func (c *Client) QueryAt(ctx context.Context, op []byte, at uint64) ([]byte, error) {
	return c.shell.ask(ctx, op, wire.Seq(at))
}

func (s *shell) ask(ctx context.Context, op []byte, at wire.Seq) (result []byte, err error) {
	decided := make(chan struct{})
	s.mu.Lock()
	q, refused := s.core.Ask(s.now(), op, at, func(r []byte, e error) { result, err = r, e; close(decided) })
	s.release()
	if refused != nil {
		return nil, refused
	}
	select {
	case <-decided:
		return result, err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.release()
	select {
	case <-decided:
		return result, err
	default:
		return nil, s.core.End(q, ctx.Err())
	}
}
