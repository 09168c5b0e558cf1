// Package checkpoint is the parent of the packages for everything that a replica keeps on disk:
//
//   - journal: the votes, append-only and checked sector by sector (rules D0 to D9);
//   - store: the replicated state in badger, versioned by sequence number, with its snapshots (D5, K1, K4), pinned for a
//     donor (X2) and staged from others (X4, X6);
//   - merkle: the tree over the state whose root is the checkpoint digest, with snapshots that a donor serves (X2) and
//     digests that a receiver verifies (X3);
//   - transfer: the exchange of a state between replicas, part by part against its root (X3, X4).
//
// It holds no code. These packages import at most statemachine, never pbft or network.
package checkpoint
