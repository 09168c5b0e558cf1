// Package store keeps the replicated state in badger, opened in managed mode: the version of an entry is the sequence
// number of the batch that wrote it, so the state after any retained sequence number is a read at that version (D5).
//
// Badger is trusted to keep what it still has, never to have kept everything. One flipped bit in its write-ahead file
// silently ends the replay there; a crash may leave holes, and half of a batch. Hence the order of a start:
//
//  1. Open checks the files badger would stumble over or forget, and opens it. Nothing can be read yet.
//  2. Load(C) reads everything visible at the journal's newest checkpoint C into a Merkle tree and returns its root. The
//     caller compares that with the digest in its journal; if they differ it loads the checkpoint before.
//  3. The caller executes everything above C again. Each batch is rewritten under its old version with its old content.
//
// What a crashed run left above C is invisible: views open only at sequence numbers written since Load, and by then every
// entry a view can see has been rewritten. That rests on determinism: whatever executing the same batches does not write
// again, because it groups them otherwise, has the right content for its version, and is hidden where the group ends by the
// version that the group writes.
//
// A replica that cannot execute its way up takes the state after a certified checkpoint from others, in a Stage. Its writes
// have the version C' of that checkpoint, above everything the store holds (X5). Until Adopt they are leftovers like others:
//
//   - A start that loads an older checkpoint does not see them. Executing up to C' and beyond may go on over them, because
//     they are the true values at their version (X4, X7).
//   - A start that cannot execute loads its newest checkpoint all the same, for that is what it serves, or 0 if none
//     matches, and stages at C' again or at a newer checkpoint. Stage reads the store at that version, leftovers included,
//     so only what is still missing is fetched (X7).
//   - After Adopt the store is at C'. The versions that the state before consisted of stay until Discard, so a crash before
//     the caller's record of the switch finds both (X6).
//
// A donor serves a checkpoint from Pin: the tree and the values as they were, whatever is written or discarded later (X2).
//
// The package owns the directory it is given, and that which SetAside names, and nothing else. It does not judge digests,
// knows no journal, and does not choose what to discard.
package store
