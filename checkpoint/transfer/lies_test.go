package transfer

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// lie turns a correct answer into a false one. other answers from another state. It returns nil if the answer has
// nothing that this lie could change.
type lie func(r *rand.Rand, query, answer []byte, other answerer) []byte

// edit makes a lie from a function that changes the parts of an answer. The function returns false if it changed
// nothing.
func edit(change func(r *rand.Rand, a *Answer) bool) lie {
	return func(r *rand.Rand, _, answer []byte, _ answerer) []byte {
		a, err := DecodeAnswer(bytes.Clone(answer))
		if err != nil || !change(r, &a) {
			return nil
		}
		return a.Encode()
	}
}

// editNode and editPage each make a lie from a function that changes one part.
func editNode(change func(r *rand.Rand, n *Node) bool) lie {
	return edit(func(r *rand.Rand, a *Answer) bool {
		return slices.ContainsFunc(a.Parts, func(p Part) bool { return p.Kind == IsNode && change(r, p.Node) })
	})
}

func editPage(change func(r *rand.Rand, p *Part) bool) lie {
	return edit(func(r *rand.Rand, a *Answer) bool {
		for i := range a.Parts {
			if a.Parts[i].Kind == IsPage && change(r, &a.Parts[i]) {
				return true
			}
		}
		return false
	})
}

// firstOf returns the lowest child in a bitmap.
func firstOf(bitmap uint16) (slot int, ok bool) {
	for slot := range 16 {
		if bitmap&(1<<slot) != 0 {
			return slot, true
		}
	}
	return 0, false
}

// lies are false answers that the receiver finds when it verifies them, or when it has the whole node.
var lies = map[string]lie{
	"a flipped bit": func(r *rand.Rand, _, answer []byte, _ answerer) []byte {
		b := bytes.Clone(answer)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	"cut short":        func(r *rand.Rand, _, answer []byte, _ answerer) []byte { return answer[:r.IntN(len(answer))] },
	"something behind": func(_ *rand.Rand, _, answer []byte, _ answerer) []byte { return append(bytes.Clone(answer), 0) },
	"empty":            func(*rand.Rand, []byte, []byte, answerer) []byte { return []byte{} },
	"endless":          func(*rand.Rand, []byte, []byte, answerer) []byte { return make([]byte, 16<<20) },
	"noise": func(r *rand.Rand, _, _ []byte, _ answerer) []byte {
		b := make([]byte, r.IntN(5000))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	},
	"another state": func(_ *rand.Rand, query, answer []byte, other answerer) []byte {
		if b := other(query); !bytes.Equal(b, answer) {
			return b
		}
		return nil
	},
	"an unasked number": edit(func(_ *rand.Rand, a *Answer) bool { a.ID += 1000; return true }),
	"an earlier number": edit(func(_ *rand.Rand, a *Answer) bool { a.ID -= 1000; return true }),
	"all put off": edit(func(_ *rand.Rand, a *Answer) bool {
		for i := range a.Parts {
			a.Parts[i] = Part{Kind: IsLater}
		}
		return true
	}),
	"the first put off": edit(func(_ *rand.Rand, a *Answer) bool { a.Parts[0] = Part{Kind: IsLater}; return true }),
	"a part too few": edit(func(_ *rand.Rand, a *Answer) bool {
		a.Parts = a.Parts[:len(a.Parts)-1]
		return len(a.Parts) > 0
	}),
	"parts too many": edit(func(_ *rand.Rand, a *Answer) bool {
		before := len(a.Parts)
		for len(a.Parts) < MaxItems {
			a.Parts = append(a.Parts, Part{Kind: IsLater})
		}
		return len(a.Parts) > before
	}),
	"parts in another order": edit(func(_ *rand.Rand, a *Answer) bool {
		slices.Reverse(a.Parts)
		first := a.Parts[0].append(nil)
		return len(a.Parts) > 1 && !bytes.Equal(first, a.Parts[len(a.Parts)-1].append(nil))
	}),
	"a piece for a path": edit(func(_ *rand.Rand, a *Answer) bool {
		a.Parts[0] = Part{Kind: IsChunk, Chunk: []byte("x")}
		return true
	}),
	"announced, though short": edit(func(_ *rand.Rand, a *Answer) bool {
		for i, p := range a.Parts {
			if p.Kind == IsPage {
				e := p.Page[0]
				a.Parts[i] = Part{Kind: IsLong, Long: Long{Key: e.Key, Length: uint64(len(e.Value)), Hash: sum(string(e.Value))}}
				return true
			}
		}
		return false
	}),
	"announced, far too long": edit(func(_ *rand.Rand, a *Answer) bool {
		a.Parts[0] = Part{Kind: IsLong, Long: Long{Key: []byte("x"), Length: 1 << 62}}
		return true
	}),
	"an absent child": editNode(func(_ *rand.Rand, n *Node) bool {
		slot, ok := firstOf(n.Present)
		n.Present &^= 1 << slot
		n.Same &^= 1 << slot
		n.Entries &^= 1 << slot
		return ok
	}),
	"no children": editNode(func(_ *rand.Rand, n *Node) bool {
		had := n.Present != 0
		*n = Node{}
		return had
	}),
	"a child more": editNode(func(_ *rand.Rand, n *Node) bool {
		slot, ok := firstOf(^n.Present)
		n.Present |= 1 << slot
		return ok
	}),
	"a child that is not the same": editNode(func(_ *rand.Rand, n *Node) bool {
		slot, ok := firstOf(n.Present &^ n.Same)
		n.Same |= 1 << slot
		n.Entries &^= 1 << slot
		return ok
	}),
	"all children the same": editNode(func(_ *rand.Rand, n *Node) bool {
		differs := n.Present != n.Same
		n.Same, n.Entries = n.Present, 0
		return differs
	}),
	"children swapped": editNode(func(_ *rand.Rand, n *Node) bool {
		a, _ := firstOf(n.Present &^ n.Same &^ n.Entries)
		b, ok := firstOf(n.Present &^ n.Same &^ n.Entries &^ (1 << a))
		n.Digest[a], n.Digest[b] = n.Digest[b], n.Digest[a]
		return ok
	}),
	"an entry with another value": editNode(func(_ *rand.Rand, n *Node) bool {
		slot, ok := firstOf(n.Entries)
		n.Entry[slot].Value = []byte("forged")
		return ok
	}),
	"an entry of another path": editNode(func(_ *rand.Rand, n *Node) bool {
		slot, ok := firstOf(n.Entries)
		n.Entry[slot].Key = []byte("forged")
		return ok
	}),
	"a page with a value changed": editPage(func(r *rand.Rand, p *Part) bool {
		p.Page[r.IntN(len(p.Page))].Value = []byte("forged")
		return true
	}),
	"a page with an entry too few": editPage(func(r *rand.Rand, p *Part) bool {
		at := r.IntN(len(p.Page))
		p.Page = slices.Delete(slices.Clone(p.Page), at, at+1)
		return len(p.Page) > 0
	}),
	"a page with an entry more": editPage(func(r *rand.Rand, p *Part) bool {
		p.Page = slices.Insert(slices.Clone(p.Page), r.IntN(len(p.Page)+1), Entry{Key: []byte("forged"), Value: []byte("x")})
		return len(p.Page) <= MaxPage
	}),
	"a page with an entry twice": editPage(func(r *rand.Rand, p *Part) bool {
		at := r.IntN(len(p.Page))
		p.Page = slices.Insert(slices.Clone(p.Page), at, p.Page[at])
		return len(p.Page) <= MaxPage
	}),
	"a page in another order": editPage(func(_ *rand.Rand, p *Part) bool {
		slices.Reverse(p.Page)
		return len(p.Page) > 1
	}),
}
