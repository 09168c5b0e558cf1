package wire

import (
	"crypto/sha256"
	"encoding/binary"
)

// Watch asks a replica to tell all changes of the keys Start ≤ key < End after a revision, in order (C4: what f+1 replicas
// say alike is believed). Clients send it. The answers are Changes and Progress over the same link, until the client ends
// them or the link ends.
type Watch struct {
	ID    uint64 // chosen by the client; no two of a link are equal
	After uint64 // revision
	Start []byte
	End   []byte // empty: no end
	Whole bool   // whether the replica sends the events themselves, or their digest
}

// WatchTaken tells a replica how much of what it sent for each watch the client has taken, so that it may send more. A
// replica sends at most WatchWindow bytes beyond.
type WatchTaken struct{ Taken []Taken }

// Taken is what was taken of one watch.
type Taken struct {
	ID    uint64
	Bytes uint64 // of the frames that were taken, in all; WatchEnd: the watch ends
}

// WatchEnd is the number of bytes with which a client ends a watch.
const WatchEnd = 1<<64 - 1

// WatchWindow is how many bytes a replica sends for a watch ahead of what the client has taken; the last frame may exceed
// it.
const WatchWindow = 1 << 20

// ChangesOutcome says how a watch goes on.
type ChangesOutcome uint8

// The outcomes of a Changes. After each but the first, the replica sends nothing more for the watch.
const (
	ChangesTold      ChangesOutcome = 1 + iota // these are all changes since the last statement, up to Upto
	ChangesCompacted                           // what follows is not kept any more; Upto is the oldest revision that is
	ChangesRefused                             // the replica has no room for another watch now
	ChangesUnknown                             // the replica's state tells no changes
)

// Changes is a replica's statement that, after the one before it for this watch, exactly these changes were made up to a
// revision. Its link authenticates it.
type Changes struct {
	ID      uint64
	Outcome ChangesOutcome
	Upto    uint64
	Items   []ChangeItem // ascending by revision and part
}

// ChangeItem holds changes of one revision. A revision with many changes is told in several parts, which every replica cuts
// at the same places.
type ChangeItem struct {
	Revision uint64
	Part     uint32 // from 0
	More     bool   // another part of the revision follows
	Events   [][]byte
	Digest   Digest // of the item, if Events is empty
}

// Progress says for several watches that no change was made after the last statement for each, up to a revision.
type Progress struct {
	Upto uint64
	IDs  []uint64 // ascending
}

func (*Watch) message()      {}
func (*WatchTaken) message() {}
func (*Changes) message()    {}
func (*Progress) message()   {}

const (
	tagChanges = "tagma/changes"

	maxListedWatches = 1 << 16
	maxListedItems   = 1 << 16
	takenBytes       = 8 + 8
	changeItemBytes  = 8 + 4 + 1 + lengthBytes

	// MaxWatchKey bounds each end of the range of a watch in bytes.
	MaxWatchKey = 4<<10 + 1

	flagMore  = 1 << 0
	flagWhole = 1 << 1
)

// DigestChange is the digest of an item with these events.
func DigestChange(i *ChangeItem) (d Digest) {
	h := sha256.New()
	b := appendU64(append([]byte(tagChanges), FormatVersion), i.Revision)
	b = appendBool(appendU32(b, i.Part), i.More)
	h.Write(appendCount(b, len(i.Events)))
	var length [lengthBytes]byte
	for _, e := range i.Events {
		binary.BigEndian.PutUint32(length[:], uint32(len(e)))
		h.Write(length[:])
		h.Write(e)
	}
	h.Sum(d[:0])
	return d
}

// Size is the size of the frame in bytes.
func (m *Changes) Size() int {
	size := 2 + 8 + 1 + 8 + lengthBytes
	for i := range m.Items {
		size += m.Items[i].Size()
	}
	return size
}

// Size is the encoded size of the item in bytes.
func (i *ChangeItem) Size() int {
	if len(i.Events) == 0 {
		return 8 + 4 + 1 + len(i.Digest)
	}
	size := changeItemBytes
	for _, e := range i.Events {
		size += lengthBytes + len(e)
	}
	return size
}

func appendWatching(b []byte, m Message) []byte {
	switch m := m.(type) {
	case *Watch:
		b = appendU64(appendU64(b, m.ID), m.After)
		return appendBool(appendBytes(appendBytes(b, m.Start), m.End), m.Whole)
	case *WatchTaken:
		b = appendCount(b, len(m.Taken))
		for _, t := range m.Taken {
			b = appendU64(appendU64(b, t.ID), t.Bytes)
		}
		return b
	case *Changes:
		b = appendU64(append(appendU64(b, m.ID), byte(m.Outcome)), m.Upto)
		b = appendCount(b, len(m.Items))
		for i := range m.Items {
			b = appendChangeItem(b, &m.Items[i])
		}
		return b
	case *Progress:
		b = appendCount(appendU64(b, m.Upto), len(m.IDs))
		for _, id := range m.IDs {
			b = appendU64(b, id)
		}
		return b
	default: // there is no other type
	}
	panic("pbft: encoding a message of another kind as a watch's")
}

func appendChangeItem(b []byte, i *ChangeItem) []byte {
	flags := byte(0)
	if i.More {
		flags |= flagMore
	}
	if len(i.Events) == 0 {
		return append(append(appendU32(appendU64(b, i.Revision), i.Part), flags), i.Digest[:]...)
	}
	return appendByteStrings(append(appendU32(appendU64(b, i.Revision), i.Part), flags|flagWhole), i.Events)
}

func readWatching(r *reader, t Type) Message {
	switch t {
	case TypeWatch:
		return &Watch{
			ID: r.u64(), After: r.u64(), Start: r.bytes("bytes of a key"), End: r.bytes("bytes of a key"), Whole: r.bool(),
		}
	case TypeWatchTaken:
		return &WatchTaken{readAscending(r, "watches", maxListedWatches, takenBytes, func(r *reader) Taken { return Taken{r.u64(), r.u64()} },
			func(t *Taken) uint64 { return t.ID })}
	case TypeChanges:
		m := &Changes{ID: r.u64(), Outcome: ChangesOutcome(r.u8()), Upto: r.u64()}
		if n := r.count("changes", maxListedItems, changeItemBytes); n > 0 {
			m.Items = make([]ChangeItem, n)
		}
		for i := range m.Items {
			if m.Items[i] = readChangeItem(r); r.err != nil {
				m.Items = nil
				break
			}
		}
		return m
	default:
		return &Progress{Upto: r.u64(), IDs: readAscending(r, "watches", maxListedWatches, 8, (*reader).u64,
			func(id *uint64) uint64 { return *id })}
	}
}

func readChangeItem(r *reader) ChangeItem {
	i := ChangeItem{Revision: r.u64(), Part: r.u32()}
	flags := r.u8()
	if flags&^(flagMore|flagWhole) != 0 {
		r.fail("flags %#x of a change", flags)
	}
	i.More = flags&flagMore != 0
	if flags&flagWhole == 0 {
		i.Digest = r.digest()
		return i
	}
	if i.Events = r.byteStrings("events"); len(i.Events) == 0 {
		r.fail("a change without an event")
	}
	return i
}

func checkWatch(m *Watch) error {
	if len(m.Start) > MaxWatchKey || len(m.End) > MaxWatchKey {
		return invalid("keys of %d and %d bytes are above the limit of %d", len(m.Start), len(m.End), MaxWatchKey)
	}
	return nil
}

// Check checks a statement by itself. Whether it is right is decided by comparison with those of other replicas.
func (m *Changes) Check() error {
	if m.Outcome < ChangesTold || m.Outcome > ChangesUnknown {
		return invalid("unknown outcome %d", m.Outcome)
	}
	if m.Outcome != ChangesTold && len(m.Items) > 0 {
		return invalid("changes beside the outcome %d", m.Outcome)
	}
	for i := range m.Items {
		item := &m.Items[i]
		if item.Revision > m.Upto {
			return invalid("a change of revision %d in a statement up to %d", item.Revision, m.Upto)
		}
		if i == 0 {
			continue
		}
		last := &m.Items[i-1]
		next := last.More && item.Revision == last.Revision && item.Part == last.Part+1
		if !next && (last.More || item.Revision <= last.Revision || item.Part != 0) {
			return invalid("changes out of order: part %d of revision %d, part %d of revision %d", last.Part, last.Revision, item.Part, item.Revision)
		}
	}
	return nil
}
