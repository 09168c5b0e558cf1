package sim

import (
	"context"
	"time"

	"tagma/internal/session"
	"tagma/pbft/wire"
	"tagma/statemachine/attest"
)

// Members are the cluster's replicas, as other clusters register them.
func (w *World) Members() attest.Members {
	m := attest.Members{ID: w.cfg.Cluster, Epoch: w.cfg.Epoch, Crash: w.cfg.Crash}
	for _, key := range w.cfg.Members {
		m.Keys = append(m.Keys, key)
	}
	return m
}

// Attest has the replicas vouch for what their machine finds by op. Done is called with the certificate, with nil if they
// have nothing to vouch for or the patience is over, and not at all once the program was killed.
func (p *Program) Attest(op []byte, patience time.Duration, done func(*attest.Certificate)) {
	c := p.c
	running, over := c.session, false
	end := func(made *attest.Certificate) {
		if !over && c.session == running {
			over = true
			done(made)
		}
	}
	c.do(func(s *session.Session) {
		q, err := s.Certify(c.w.now, wire.Attest{What: wire.VouchedMachine, Op: op}, 0, func(made *attest.Certificate, _ [][]byte, _ error) {
			c.w.At(c.w.now, func() { end(made) }) // the session must not be called from here
		})
		c.w.At(c.w.now+patience, func() {
			if err == nil && !over && c.session == running {
				_ = s.EndAttest(q, context.DeadlineExceeded)
				end(nil)
			}
		})
		if err != nil {
			c.w.At(c.w.now, func() { end(nil) })
		}
	})
}
