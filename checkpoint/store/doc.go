// Package store keeps the replicated state in badger, opened in managed mode: the version of an entry is the sequence
// number of the batch that wrote it, so the state after any retained sequence number is a read at that version (D5).
//
// Badger is trusted to return only entries that were written, but not to return all of them. One flipped bit in its
// write-ahead file silently ends the replay there, and a crash may leave holes, or half of a batch. That is why a start
// has these steps:
//
//  1. Open checks the files that badger would fail on or lose, and opens badger. Nothing can be read yet.
//  2. Load(C) reads everything visible at the journal's newest checkpoint C into a Merkle tree and returns its root. The
//     caller compares the root with the digest in its journal. If they differ, it loads the checkpoint before.
//  3. The caller executes everything above C again. Each batch is written again, at its old version with its old content.
//
// What a crashed run left above C is never seen: views open only at sequence numbers that were written since Load, and
// by then every entry that such a view can see has been written again. This relies on determinism. If batches are
// grouped in another way than before, an entry of the crashed run may not be written again; it still has the right
// content for its version, and the version that the new group writes at its end hides it.
//
// A replica that cannot execute all missing batches takes the state after a certified checkpoint from others, in a
// Stage. The stage's writes have the version C' of that checkpoint, which is above everything in the store (X5). Until
// Adopt they are leftovers, like those of a crash:
//
//   - A start that loads an older checkpoint does not see them. It may execute batches up to C' and beyond over them,
//     because they are the true values at their version (X4, X7).
//   - A start that cannot execute also loads its newest checkpoint, in order to serve it, or 0 if none matches. It then
//     stages at C' again, or at a newer checkpoint. Stage reads the store at that version, including leftovers, so that only
//     what is missing is fetched (X7).
//   - After Adopt the store is at C'. The versions of the former state stay until Discard, so that a start finds both states
//     if a crash precedes the caller's record of the switch (X6).
//
// A donor serves a checkpoint from Pin: the tree and the values of that state, whatever is written or discarded later (X2).
//
// The package owns the directory that it is given, and the one that SetAside names, and nothing else. It does not
// compare digests, does not know the journal, and does not choose what to discard.
package store
