package kv

import (
	"tagma/statemachine"
	"tagma/statemachine/commit"
)

// Machine executes the operations that this package builds. It holds only configuration: all state is in the transaction.
type Machine struct {
	// History is for how many sequence numbers back former states can be read and reverted to; 0 does not count. Without
	// it and Keep, the state contains no history, and operations that need one are unknown.
	History uint64
	// Keep says more about the history of version 2 of the state.
	Keep Keep
}

var (
	_ statemachine.Historian = Machine{}
	_ statemachine.Versioned = Machine{}
	_ statemachine.Followed  = Machine{}
	_ statemachine.Timed     = Machine{}
)

func (m *Machine) retention() retention { return retention{m.Keep, m.History} }

// knows says which operations exist in a state of this version.
func (m *Machine) knows(version int) knows {
	if version < versionLog {
		return knows{reverts: m.History > 0}
	}
	keep := m.retention()
	return knows{reverts: keep.any(), revisions: keep.any(), leases: version >= versionLease}
}

// Apply executes one operation. A refused operation returns its code as result and changes nothing.
func (m Machine) Apply(tx statemachine.Txn, op []byte) []byte {
	crosses := tx.Version() >= crossVersion
	if crosses && commit.Is(op) {
		return commit.Apply(tx, participant{&m}, op)
	}
	o, code := decodeOperation(op, m.knows(tx.Version()))
	if code != 0 {
		return refusal(code)
	}
	x := m.newRun(tx, tx)
	x.crosses = crosses
	if crosses {
		if l := held(tx, &o); l != nil {
			return l.Result()
		}
	}
	result := x.do(&o)
	x.close()
	return result
}

// Query answers an operation that reads. A transaction reads if neither of its lists modifies anything.
func (m Machine) Query(r statemachine.Reader, op []byte) []byte {
	if r.Version() >= crossVersion && commit.Is(op) {
		return commit.Query(r, participant{&m}, op)
	}
	o, code := decodeOperation(op, m.knows(r.Version()))
	switch {
	case code != 0:
		return refusal(code)
	case o.modifies():
		return refusal(NotRead)
	}
	return m.newRun(r, nil).do(&o)
}
