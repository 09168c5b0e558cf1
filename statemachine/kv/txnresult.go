package kv

import (
	"encoding/binary"

	"tagma/statemachine/internal/wire"
)

// TxnResult is what a transaction returns.
type TxnResult struct {
	Revision  uint64   // the store's, after the transaction; raised by one if anything was modified
	Succeeded bool     // all compares held
	Results   [][]byte // of the executed list's operations, in order; each decodes as the result of its operation
}

// DecodeTxn reads the result of Txn.
func DecodeTxn(result []byte) (TxnResult, error) {
	c, err := openResult(result, opTxn)
	out := TxnResult{Revision: c.Uint64(), Succeeded: c.Flags(1) != 0}
	for n := c.Uint16(); n > 0 && !c.Bad; n-- {
		out.Results = append(out.Results, c.Value())
	}
	return out, c.close(err)
}

func encodeTxn(rev uint64, succeeded bool, results [][]byte) []byte {
	room := 1 + 2
	for _, r := range results {
		room += 4 + len(r)
	}
	b := append(begin(opTxn, rev, room), 0)
	if succeeded {
		b[len(b)-1] = 1
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(results)))
	for _, r := range results {
		b = wire.AppendValue(b, r)
	}
	return b
}
