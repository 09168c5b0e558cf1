// Package journal keeps a replica's votes: an append-only log of opaque entries in preallocated segment files (D9).
//
// It owns the bytes under HOME/journal and one decision: whether damage that a start finds there is a torn tail, which
// is normal, or rot, after which the replica must not vote (D8). It knows nothing of messages, views or certificates.
// It must never repair rot, skip a damaged sector, or return an entry that a checksum does not cover.
//
// # Format
//
// A segment is a file of 512-byte sectors, zeroed before its first use. Every written sector has the same head
// (integers are little-endian):
//
//	 0  4  CRC-32C of bytes 4 to 511
//	 4  1  format version, 1
//	 5  1  kind: 1 header, 2 anchor, 3 turn, 4 seal
//	 6  2  of a turn: random for each start of the process, so that sectors of two attempts at one turn never join
//	 8  8  epoch of the segment: random, so that a sector of another file is recognised
//	16  8  number of the driver turn that wrote it
//	24  4  index of the sector within its turn
//	28  4  payload bytes of the whole turn, hence its number of sectors
//	32     480 bytes of payload, zero-filled
//
// Sector 0 is the header (number of the segment, epoch of the one before, sectors in the file). The anchor begins at
// sector 1, and the turns follow it. The payload of both is a sequence of entries: length (4), Seq (8), data. The last
// sector is reserved for the seal, which says that a later segment exists.
//
// Turn numbers rise by one from turn to turn, also across segments. Every sector says how many sectors its turn has and
// which of them it is, so any single sector that survives a crash shows where the whole turn was.
//
// # Torn tail and rot
//
// Turn k+1 is written only after the sync of turn k has returned. So only the highest turn may normally have zero
// sectors, at its end or as holes: nothing of that turn was sent, and Open drops all of it. Zero sectors in an earlier
// turn, in an anchor or in a header are rot. So is every sector that is neither zero nor valid, wherever it is. This
// includes a half-written sector on a disk whose sectors are not atomic: it cannot be distinguished from a damaged
// vote, so by rule it is rot. docs/journal.md has the decision table.
//
// # Reading by sequence number
//
// With Options.Index the journal keeps an index in memory, from Seq to places in retained segments. Read uses it to
// return single entries while the owner appends (X0). The index is built from what Open has checked and from turns that
// are durable, so it never refers to a torn turn. Read checks every sector again, because the disk may have changed it
// meanwhile.
//
// # Other uses
//
// Peek returns what Open would find and writes nothing. SetAside renames a journal that must not be used any more, so
// that a new one can take its place.
package journal
