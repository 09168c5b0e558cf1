// Package backup reads and writes the file that keeps, outside the cluster, the replicated state after one stable
// checkpoint.
//
// It owns the bytes of that file and the proof that its entries are the state that the head names: their Merkle root
// (K1). It does not know who certified that root: the certificate is opaque bytes, which the caller verifies. It must
// never return an entry that a checksum does not cover, nor accept a state whose root it has not computed.
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
// The head is: cluster id (32), membership epoch (8), sequence number (8), root (32), sequence number and root of the
// backup that this one adds to (8, 32; zero in a whole backup), and three texts, each after its length (4): the name of
// the state machine, the file name of the backup that this one adds to, and the certificate of the root.
//
// Then come frames: length (4, 1 to 1 MiB), CRC-32C of length and payload (4), payload. The concatenated payloads are the
// records, ascending by key: 1 (set) or 2 (delete), length of the key (4), length of the value (4), key, value. A frame of
// length 0, without checksum, ends the records. After it comes the SHA-256 of everything before, which ends the file.
//
// # Whole and incremental
//
// A whole backup sets every key. An incremental one holds only the differences from the state of the backup that it
// adds to, and is of no use without that one: its root comes out only if both are applied.
package backup
