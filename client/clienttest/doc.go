// Package clienttest is a client without a cluster, for unit tests of code that uses a client. It runs a machine in
// memory, as one replica would, behind the methods of [client.Interface], and fails when a test says so.
//
//	shop := clienttest.New("auction", newHouse())
//	shop.Inject(nil, clienttest.UnknownExecuted) // the answer to the next call is lost
//	err := placeBid(ctx, shop, "vase", 12)       // what is tested
//
// The machine meets the same conditions as on a replica: operations one after the other, transactions that end with
// their operation, limits, contained panics, past states, and callers with different keys. The agreed time does not
// change until a test changes it.
//
// The package owns the faults that a test can choose. It has no replicas: use package tagmatest to test what happens
// when replicas fail, and whether a machine is deterministic.
package clienttest
