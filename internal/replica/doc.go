// Package replica is the part of a replica between its core and its disk, without a network or a clock: what a start finds
// on the disk and makes of it, the executor with its writes, and the exchange of state with other replicas. A node runs it
// on goroutines and a real disk, the simulator in virtual time over a simulated disk. Both run the same code.
//
// It owns:
//
//   - Open and Begin decide whether this is a first start, an ordinary one, or the replica lost what it signed (D5, D8).
//   - Asking is a replica that lost it, until the others have told it how to continue (D8.6, D8.12).
//   - Votes is the journal behind the driver's port, and the source of batches for replicas that lag (X0).
//   - Executor applies batches in order, and writes them to the store concurrently (D5, K1).
//   - Mover is the receiving side of a state transfer (X1 to X7, X9).
//   - Donor is the giving side (X0, X2, X3).
//
// It starts no goroutine, reads no clock and opens no socket: a Host does these for it. It must not judge messages,
// which is the task of pbft, nor know badger's files, which is that of the store.
package replica
