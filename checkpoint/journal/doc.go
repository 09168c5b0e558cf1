// Package journal keeps a replica's votes: an append-only log of opaque entries in preallocated segment files (D9).
//
// It owns the bytes under HOME/journal and one decision: whether what a start finds there is a torn tail, which is
// normal, or rot, after which the replica must not vote (D8). It knows nothing of messages, views or certificates, and
// it must never repair rot, skip a damaged sector, or return an entry that a checksum does not cover.
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
// Sector 0 is the header (number of the segment, epoch of the one before, sectors in the file). From sector 1 on comes the
// anchor, then one turn after the other; the payload of both is a sequence of entries: length (4), Seq (8), data. The last
// sector is kept for the seal, which says that a later segment exists.
//
// Turn numbers rise by one from turn to turn and segment to segment. Since every sector tells how many sectors its turn
// has and which one it is, any sector that survived a crash marks out the whole turn.
//
// # Torn tail and rot
//
// Turn k+1 is written only after the sync of turn k returned, so zero sectors are normal in the highest turn alone, as a
// tail or as holes: nothing of that turn was sent, and Open drops it whole. Zero sectors in an earlier turn, in an anchor
// or in a header are rot; so is any sector that is neither zero nor valid, wherever it stands. That includes a sector
// half written on a disk whose sectors are not atomic: it cannot be told from a damaged vote, so by rule it is rot.
// docs/journal.md has the decision table.
//
// # Reading by sequence number
//
// With Options.Index the journal keeps an index in memory, Seq to places in retained segments, from which Read serves
// single entries while the owner appends (X0). It is built from what Open has checked and from turns that are durable, so
// it never names a torn turn. Read checks every sector again: the disk may have changed it since.
//
// # Before and instead of a start
//
// Peek returns what a start would find and writes nothing. SetAside moves a journal that must not be used any more out
// of the way of a new one.
package journal
