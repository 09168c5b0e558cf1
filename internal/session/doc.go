// Package session makes the decisions of a cluster's client: it numbers requests, sends them again, counts votes and
// ends calls. It has no goroutine, clock, socket or lock. Events come in through its methods, with the time at which
// they happen, and a Host carries out what it decides. So the simulator runs the same client as a program.
//
// It owns the numbers of successive sessions (C1, C2), retransmission, hedging and hints of overload (C3, C6), the
// judgement of replies (C4, C5, C9) and the semantics (C7). It must not interpret operations, nor trust a single
// replica. docs/client.md draws the states of a call.
package session
