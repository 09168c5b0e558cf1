// Package replica is what a replica is below its network and its clock: what a start finds on the disk and makes of it,
// the executor with its writes, and the exchange of state with other replicas. A node runs it on goroutines and a real
// disk, the simulator in virtual time over a simulated one; both run this code and no other.
//
// It owns:
//
//   - Open and Begin: is this a first start, an ordinary one, or has the replica lost what it signed? (D5, D8)
//   - Asking: the replica that has, until others have told it how to go on (D8.6, D8.12)
//   - Votes: the journal as the driver's port, and as a source of batches for those who lag (X0)
//   - Executor: batches are applied in order, and written beside (D5, K1)
//   - Mover: the receiving side of a state transfer (X1 to X7, X9)
//   - Donor: the giving side (X0, X2, X3)
//
// It starts no goroutine, reads no clock and opens no socket: a Host does these for it. It must not judge messages,
// which is pbft's, nor know badger's files, which is the store's.
package replica
