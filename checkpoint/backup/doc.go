// Package backup is the file that the replicated state after one stable checkpoint is kept in, outside the cluster.
//
// It owns the bytes of that file and the proof that its entries are the state that the head names: their Merkle root (K1).
// Who certified that root it does not know: the certificate is bytes to it, which the caller judges. It must never return
// an entry that a checksum does not cover, nor a state whose root it has not computed.
//
// # Format
//
// Integers are big-endian.
//
//	 0   8  "tagmabak"
//	 8   2  format version, 1
//	10   4  bytes of the head that follows, at most MaxHead
//	14      the head
//	    32  SHA-256 of everything before
//
// The head is: cluster id (32), membership epoch (8), sequence number (8), root (32), sequence number and root of the backup
// that this one adds to (8, 32; zero in one that is whole), and three texts, each after its length (4): the name of the
// state machine, the file name of the backup that this one adds to, and the certificate of the root.
//
// Then come frames: length (4, 1 to 1 MiB), CRC-32C of length and payload (4), payload. Their payloads, one behind the
// other, are the records, ascending by key: 1 (set) or 2 (delete), length of the key (4), length of the value (4), both. A
// frame of length 0, without checksum, ends them; behind it stands the SHA-256 of everything before, and nothing else.
//
// # Whole and incremental
//
// A whole backup sets every key. One that adds to another holds what differs from the state of that one, and is worth
// nothing without it: its root comes out only over both.
package backup
