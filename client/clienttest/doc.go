// Package clienttest is a client without a cluster, for unit tests of what is built on one: it runs a machine in memory, as
// one replica would, behind the same methods as a *client.Client ([client.Interface]), and fails when a test says so.
//
//	shop := clienttest.New("auction", newHouse())
//	shop.Inject(nil, clienttest.UnknownExecuted) // the answer to the next call is lost
//	err := placeBid(ctx, shop, "vase", 12)       // what is tested
//
// The machine sees what it sees on a replica: operations one after the other, transactions that end with their operation,
// limits, panics that are contained, past states, and callers by their keys. The agreed time stands still until a test
// moves it.
//
// The package owns the failures that a test can choose. It has no replicas, so what becomes of a cluster when they fail is
// for package tagmatest to try, and whether a machine is deterministic too.
package clienttest
