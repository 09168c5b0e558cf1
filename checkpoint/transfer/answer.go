package transfer

import "encoding/binary"

const (
	// MaxAnswer is the longest encoding of an answer.
	MaxAnswer = 1 << 20
	// MaxPage is how many entries a page holds at most.
	MaxPage = 256
	// MaxKey is the length of the longest key that can be transferred.
	MaxKey = 32 << 10
	// ChunkSize is the length of every piece of a long value except the last. Two pieces fit into an answer.
	ChunkSize = 511 << 10
	// MaxEntry is the length of the longest entry, key and value together, that is sent whole. Longer ones are sent in
	// pieces. The limit leaves room for the lengths around the entry and for MaxItems parts of one byte.
	MaxEntry = MaxAnswer - 512
)

// Answer answers the query with the same ID. Its parts answer the query's items, in the same order.
type Answer struct {
	ID    uint32
	Parts []Part // 1 to MaxItems
}

// PartKind says what a part holds.
type PartKind uint8

// The kinds of parts. Their values are part of the encoding.
const (
	IsNode  PartKind = iota + 1
	IsPage           // every entry below the path
	IsLong           // the only entry below the path, whose value is too long to send whole
	IsChunk          // a piece of a long value
	IsLater          // the donor did not get to this item within the bounds of one answer; the receiver has to ask again
)

// Part answers one item.
type Part struct {
	Kind  PartKind
	Node  *Node   // if Kind is IsNode
	Page  []Entry // if Kind is IsPage: 1 to MaxPage entries, ascending by SHA-256 of the key
	Long  Long    // if Kind is IsLong
	Chunk []byte  // if Kind is IsChunk: at most ChunkSize bytes; empty beyond the value's end
}

// Node is an inner node of the donor's tree.
type Node struct {
	Present uint16 // bit i: child i exists
	Same    uint16 // children whose digest begins with the prefix that the receiver sent; they are left out
	Entries uint16 // the children that are leaves and given as entries; all others are given as digests
	Digest  [16][32]byte
	Entry   [16]Entry
}

// Entry is a key with its value.
type Entry struct{ Key, Value []byte }

// Long announces an entry whose value is fetched in pieces.
type Long struct {
	Key    []byte
	Length uint64
	Hash   [32]byte // SHA-256 of the value
}

func appendAnswerHead(b []byte, id uint32, parts int) []byte {
	b = binary.BigEndian.AppendUint32(append(b, version), id)
	return binary.BigEndian.AppendUint16(b, uint16(parts))
}

// Encode returns the encoding of an answer. Its parts must keep to the bounds above.
func (a *Answer) Encode() []byte {
	b := appendAnswerHead(nil, a.ID, len(a.Parts))
	for i := range a.Parts {
		b = a.Parts[i].append(b)
	}
	return b
}

func (p *Part) append(b []byte) []byte {
	b = append(b, byte(p.Kind))
	switch p.Kind {
	case IsNode:
		b = p.Node.append(b)
	case IsPage:
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.Page)))
		for i := range p.Page {
			b = p.Page[i].append(b)
		}
	case IsLong:
		b = binary.BigEndian.AppendUint64(appendBytes(b, p.Long.Key), p.Long.Length)
		b = append(b, p.Long.Hash[:]...)
	case IsChunk:
		b = appendBytes(b, p.Chunk)
	case IsLater:
	}
	return b
}

func (e *Entry) append(b []byte) []byte { return appendBytes(appendBytes(b, e.Key), e.Value) }

func (e *Entry) size() int { return bytesSize(len(e.Key)) + bytesSize(len(e.Value)) }

// Each of these bytes precedes the encoding of a child that the receiver may not have. They say which form follows.
const (
	givenDigest = 0
	givenEntry  = 1
)

func (n *Node) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, n.Present)
	b = binary.BigEndian.AppendUint16(b, n.Same)
	for slot := range n.Digest {
		switch bit := uint16(1) << slot; {
		case n.Present&^n.Same&bit == 0:
		case n.Entries&bit != 0:
			b = n.Entry[slot].append(append(b, givenEntry))
		default:
			b = append(append(b, givenDigest), n.Digest[slot][:]...)
		}
	}
	return b
}

// DecodeAnswer decodes exactly what Encode returns. Its result shares memory with b. It does not check the order of a
// page's entries; the receiver sees it when it hashes their keys.
func DecodeAnswer(b []byte) (Answer, error) {
	r := newReader(b, MaxAnswer)
	a := Answer{ID: r.u32()}
	n := r.count(MaxItems)
	a.Parts = make([]Part, 0, min(n, len(r.rest)))
	for range n {
		if r.err != nil {
			break
		}
		a.Parts = append(a.Parts, r.part())
	}
	if err := r.finish(); err != nil {
		return Answer{}, err
	}
	return a, nil
}

func (r *reader) part() (p Part) {
	switch p.Kind = PartKind(r.u8()); p.Kind {
	case IsNode:
		p.Node = r.node()
	case IsPage:
		n := r.count(MaxPage)
		p.Page = make([]Entry, 0, min(n, len(r.rest)/2))
		for range n {
			if r.err != nil {
				break
			}
			p.Page = append(p.Page, r.entry())
		}
	case IsLong:
		p.Long = Long{Key: r.bytes(MaxKey), Length: r.u64(), Hash: r.digest()}
	case IsChunk:
		p.Chunk = r.bytes(ChunkSize)
	case IsLater:
	default:
		r.fail("a part of kind %d", p.Kind)
	}
	return p
}

func (r *reader) entry() Entry { return Entry{Key: r.bytes(MaxKey), Value: r.bytes(MaxAnswer)} }

func (r *reader) node() *Node {
	n := &Node{Present: r.u16(), Same: r.u16()}
	if n.Same&^n.Present != 0 {
		r.fail("an absent child is called the same")
	}
	for slot := range n.Digest {
		bit := uint16(1) << slot
		if n.Present&^n.Same&bit == 0 || r.err != nil {
			continue
		}
		switch given := r.u8(); given {
		case givenDigest:
			n.Digest[slot] = r.digest()
		case givenEntry:
			n.Entries |= bit
			n.Entry[slot] = r.entry()
		default:
			r.fail("a child given in way %d", given)
		}
	}
	return n
}
