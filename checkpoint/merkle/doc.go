// Package merkle holds the in-memory Merkle tree whose root is the checkpoint digest (K1).
//
// The tree is a 16-ary trie over SHA-256 of the key: the first nibble of the hash chooses among the root's children,
// the next nibble among theirs, and so on. A key is in a leaf at the shallowest depth at which no other key shares its
// path, so an inner node below the root exists exactly where two or more keys share a path. The shape, and with it the
// root, depends only on the set of (key, value) pairs: not on the order of insertion, nor on what was deleted.
//
// Digests, each tag preceded by its length so that no two kinds of input can collide:
//
//	leaf  = SHA-256(len(tag) ‖ tag ‖ SHA-256(key) ‖ SHA-256(value))
//	inner = SHA-256(len(tag) ‖ tag ‖ bitmap of present children, 16 bits big-endian ‖ their digests, lowest nibble first)
//
// The root is the inner digest of the topmost node, even if that has only one child or none. Both hash inputs of a leaf
// have 32 bytes and the bitmap gives the number of digests, so every input can be parsed in only one way.
//
// A snapshot shares its unchanged parts with the tree, so that a donor can serve the tree of a checkpoint while its own
// tree changes (X2). A receiver verifies what others send with DigestOf and SubtreeDigest before it uses it (X3).
//
// The package keeps hashes, never keys or values. It does no I/O, except that the parts of a large tree may lie in a
// mapped file. Only one goroutine at a time may use a tree; any goroutine may use its snapshots meanwhile.
package merkle
