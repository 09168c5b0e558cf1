package history

import (
	"bytes"
	"fmt"

	"tagma/internal/machines"
	"tagma/statemachine/bank"
	"tagma/statemachine/kv"
	rogues "tagma/testnet/byzantine/client"
)

// longTransaction is how many operations a heavy client's transaction has.
const longTransaction = 64

// Burdens returns a machine's operations that cost much, on keys that nobody else uses.
func Burdens(machine, name string) rogues.Burdens {
	if machine == machines.Bank {
		return rogues.Burdens{Count: bank.Audit(), Past: bank.Audit()}
	}
	count := kv.Count([]byte{0}, nil)
	gone := func(n uint64) []byte { return fmt.Appendf(nil, "%s/gone/%06d", name, n) }
	all := make([][]byte, longTransaction)
	for i := range all {
		all[i] = count
	}
	return rogues.Burdens{
		Count: count,
		Past:  kv.Txn(nil, all, nil),
		Transaction: func(n uint64) []byte {
			ops := make([][]byte, longTransaction)
			for i := range ops {
				if ops[i] = count; i%2 == 1 {
					ops[i] = kv.Put(fmt.Appendf(nil, "%s/txn/%d", name, i), fmt.Appendf(nil, "%d", n))
				}
			}
			return kv.Txn(nil, ops, nil)
		},
		Value: func(n uint64, size int) []byte {
			return kv.Put(fmt.Appendf(nil, "%s/large/%d", name, n%largeKeys), bytes.Repeat([]byte{byte(n)}, size))
		},
		Gone: rogues.Gone{
			Put:    func(n uint64) []byte { return kv.Put(gone(n), []byte("v")) },
			Delete: func(n uint64) []byte { return kv.Delete(gone(n)) },
			Count:  kv.Count([]byte(name+"/gone/"), []byte(name+"/gone0")),
		},
	}
}

// largeKeys is how many keys with large values a heavy client has.
const largeKeys = 16
