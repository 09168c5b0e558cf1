// Package checkpoint is the parent of everything a replica keeps on disk:
//
//   - journal: the votes, append-only and checked sector by sector (rules D0 to D9);
//   - store: the replicated state in badger, versioned by sequence number, with its snapshots (D5, K1, K4);
//   - merkle: the tree over the state whose root is the checkpoint digest, and from which state transfer works (X2).
//
// It holds no code. The three import statemachine at most, never pbft or network.
package checkpoint
