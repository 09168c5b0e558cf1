package kv

import (
	"tagma/statemachine"
	"tagma/statemachine/commit"
)

// Machine executes the operations that this package builds. It holds only configuration: all state is in the transaction.
type Machine struct {
	// History is the number of sequence numbers for which former states can be read and reverted to. With 0 the state
	// contains no history, and Revert is an unknown operation.
	History uint64
}

var (
	_ statemachine.Historian = Machine{}
	_ statemachine.Versioned = Machine{}
)

// Apply executes one operation. A refused operation returns its code as result and changes nothing.
func (m Machine) Apply(tx statemachine.Txn, op []byte) []byte {
	crosses := tx.Version() >= crossVersion
	if crosses && commit.Is(op) {
		return commit.Apply(tx, participant{m.History}, op)
	}
	o, code := decodeOperation(op, m.History > 0)
	if code != 0 {
		return refusal(code)
	}
	x := newRun(tx, tx)
	x.history, x.crosses = m.History, crosses
	if crosses {
		if l := held(tx, &o); l != nil {
			return l.Result()
		}
	}
	result := x.do(&o)
	if x.chronicle != nil {
		x.chronicle.close()
	}
	return result
}

// Query answers an operation that reads. A transaction reads if neither of its lists modifies anything.
func (m Machine) Query(r statemachine.Reader, op []byte) []byte {
	if r.Version() >= crossVersion && commit.Is(op) {
		return commit.Query(r, participant{m.History}, op)
	}
	o, code := decodeOperation(op, m.History > 0)
	switch {
	case code != 0:
		return refusal(code)
	case o.modifies():
		return refusal(NotRead)
	}
	return newRun(r, nil).do(&o)
}
