package shop

import (
	"tagma/statemachine"
	"tagma/statemachine/codec"
)

// Machine is the Store as a machine.
type Machine struct{ Store }

// Apply implements statemachine.Machine.
func (m Machine) Apply(tx statemachine.Txn, op []byte) []byte { return ShopApply(m.Store, tx, op) }

// Query implements statemachine.Machine.
func (m Machine) Query(r statemachine.Reader, op []byte) []byte { return ShopQuery(m.Store, r, op) }

func orderOf(b []byte) Order { return readShopOrder(codec.NewReader(b)) }
