package client

import (
	"context"

	"tagma/pbft/wire"
)

// ask sends a query about a past state and waits for the answer.
func (s *shell) ask(ctx context.Context, op []byte, at uint64) (result []byte, err error) {
	decided := make(chan struct{})
	s.mu.Lock()
	q, refused := s.core.Ask(s.now(), op, wire.Seq(at), func(r []byte, e error) { result, err = r, e; close(decided) })
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
