// Package session is what a client of a cluster decides: it numbers requests, sends them again, counts votes and ends calls.
// It has no goroutine, clock, socket or lock: events come in through its methods with the time they happen at, and what is
// to be done goes out through a Host, so that the simulator runs the same client as a program.
//
// It owns the numbers of one session after another (C1, C2), retransmission, hedging and hints of overload (C3, C6), the
// judgement of replies (C4, C5, C9) and the semantics (C7). It must not interpret operations, nor trust a single replica.
// docs/client.md draws the states of a call.
package session
