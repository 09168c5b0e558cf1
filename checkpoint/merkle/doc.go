// Package merkle holds the in-memory Merkle tree whose root is the checkpoint digest (K1).
//
// The tree is a 16-ary trie over SHA-256 of the key: the first nibble of the hash chooses among the root's children, the
// next nibble among theirs. A key sits in a leaf at the shallowest depth at which no other key shares its path, so an
// inner node below the root exists exactly where two or more keys share a path. The shape, and with it the root, is a
// function of the set of (key, value) pairs alone: not of the order of insertion, nor of what was deleted since.
//
// Digests, each tag preceded by its length so that no two kinds of input can collide:
//
//	leaf  = SHA-256(len(tag) ‖ tag ‖ SHA-256(key) ‖ SHA-256(value))
//	inner = SHA-256(len(tag) ‖ tag ‖ bitmap of present children, 16 bits big-endian ‖ their digests, lowest nibble first)
//
// The root is the inner digest of the topmost node, also when it has one child or none. Both hash inputs of a leaf have
// 32 bytes and the bitmap tells the number of digests, so every input parses in one way only.
//
// A snapshot shares what did not change with the tree, so that a donor can serve the tree of a checkpoint while its own
// goes on (X2). A receiver verifies what it is sent with DigestOf and SubtreeDigest before it uses it (X3).
//
// The package keeps hashes, never keys or values, and does no I/O. A tree is used by one goroutine at a time, its snapshots
// by any beside it.
package merkle
