package transfer

import "encoding/binary"

const (
	// MaxItems is how many items a query may have.
	MaxItems = 256
	// MaxQuery is the longest encoding of a query.
	MaxQuery = 7 + MaxItems*(1+1+maxDepth/2+2+16*2)
)

// Query asks a donor for parts of its tree and its entries.
type Query struct {
	ID    uint32 // chosen by the receiver and repeated in the answer
	Items []Item // 1 to MaxItems
}

// ItemKind says what an item asks for.
type ItemKind uint8

// The kinds of items. Their values are part of the encoding.
const (
	AskPath    ItemKind = iota + 1 // what is at Path; the receiver has nothing there, or does not say what it has
	AskCompare                     // the node at Path, without the children that the receiver has
	AskChunk                       // a piece of a long value
)

// Item is one thing that is asked for.
type Item struct {
	Kind   ItemKind
	Path   Path     // for AskPath and AskCompare
	Known  Known    // for AskCompare
	Key    [32]byte // for AskChunk: SHA-256 of the key
	Offset uint64   // for AskChunk: where in the value the piece begins
}

// Known says which children the receiver's own node has. If a child's digest begins with the prefix, the donor need not
// send the child. A prefix that matches by chance does no harm, because the receiver verifies the node with its own
// digest in that place.
type Known struct {
	Bitmap   uint16     // bit i: child i; the bitmap is never 0
	Prefixes [16]uint16 // the first two bytes of the children's digests; zero for absent children
}

// Encode returns the encoding of a query, which must have 1 to MaxItems items.
func (q *Query) Encode() []byte {
	b := append(make([]byte, 0, 7+40*len(q.Items)), version)
	b = binary.BigEndian.AppendUint32(b, q.ID)
	b = binary.BigEndian.AppendUint16(b, uint16(len(q.Items)))
	for i := range q.Items {
		b = q.Items[i].append(b)
	}
	return b
}

func (it *Item) append(b []byte) []byte {
	b = append(b, byte(it.Kind))
	if it.Kind == AskChunk {
		return binary.BigEndian.AppendUint64(append(b, it.Key[:]...), it.Offset)
	}
	b = append(b, it.Path.depth)
	b = append(b, it.Path.packed[:(it.Path.depth+1)/2]...)
	if it.Kind == AskPath {
		return b
	}
	b = binary.BigEndian.AppendUint16(b, it.Known.Bitmap)
	for slot, prefix := range it.Known.Prefixes {
		if it.Known.Bitmap&(1<<slot) != 0 {
			b = binary.BigEndian.AppendUint16(b, prefix)
		}
	}
	return b
}

// DecodeQuery decodes exactly what Encode returns.
func DecodeQuery(b []byte) (Query, error) {
	r := newReader(b, MaxQuery)
	q := Query{ID: r.u32()}
	n := r.count(MaxItems)
	q.Items = make([]Item, 0, min(n, len(r.rest)))
	for range n {
		if r.err != nil {
			break
		}
		q.Items = append(q.Items, r.item())
	}
	if err := r.finish(); err != nil {
		return Query{}, err
	}
	return q, nil
}

func (r *reader) item() (it Item) {
	switch it.Kind = ItemKind(r.u8()); it.Kind {
	case AskPath:
		it.Path = r.path(maxDepth)
	case AskCompare:
		it.Path = r.path(maxDepth - 1)
		it.Known.Bitmap = r.u16()
		if it.Known.Bitmap == 0 {
			r.fail("a comparison with nothing")
		}
		for slot := range it.Known.Prefixes {
			if it.Known.Bitmap&(1<<slot) != 0 {
				it.Known.Prefixes[slot] = r.u16()
			}
		}
	case AskChunk:
		it.Key, it.Offset = r.digest(), r.u64()
	default:
		r.fail("an item of kind %d", it.Kind)
	}
	return it
}

func (r *reader) path(most uint8) (p Path) {
	if p.depth = r.u8(); p.depth > most {
		r.fail("a path of %d nibbles where at most %d are allowed", p.depth, most)
		return Path{}
	}
	copy(p.packed[:], r.take(int(p.depth+1)/2))
	if p.depth%2 == 1 && p.packed[p.depth/2]&15 != 0 {
		r.fail("a path with bits beyond its end")
	}
	return p
}
