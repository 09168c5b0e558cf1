package kv

import "tagma/statemachine"

// Machine executes the operations that this package builds. It holds nothing: all state is in the transaction.
type Machine struct{}

var _ statemachine.Machine = Machine{}

// Apply executes one operation. One that is refused gives its code as result and changes nothing.
func (Machine) Apply(tx statemachine.Txn, op []byte) []byte {
	o, code := decodeOperation(op)
	if code != 0 {
		return refusal(code)
	}
	return newRun(tx, tx).do(&o)
}

// Query answers an operation that reads. A transaction reads if neither of its lists modifies anything.
func (Machine) Query(r statemachine.Reader, op []byte) []byte {
	o, code := decodeOperation(op)
	switch {
	case code != 0:
		return refusal(code)
	case o.modifies():
		return refusal(NotRead)
	}
	return newRun(r, nil).do(&o)
}
