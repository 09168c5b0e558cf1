package merkle

import (
	"encoding/binary"
	"errors"
)

// Path shows what a tree holds for one key, or that it holds nothing, to somebody who knows only the tree's root: the
// inner nodes from the root towards the key, each with the digests of its children beside the path.
type Path struct {
	Steps []Step
	End   End
	Other Leaf // only if End is OtherLeaf
}

// Step is an inner node on a path.
type Step struct {
	Bitmap uint16     // the children that exist, that on the path included
	Beside [][32]byte // the digests of the children that are not on the path, lowest nibble first
}

// End is what the last node of a path has in the place of the key.
type End uint8

// The ends of a path. With OtherLeaf and Nothing the tree does not hold the key.
const (
	Nothing   End = iota // no child
	KeyLeaf              // the leaf of the key
	OtherLeaf            // the leaf of another key, which would be deeper if the tree held both
)

// Path returns the path of a key, which is given as SHA-256, and the SHA-256 of its value if the tree holds the key. It
// returns false after Release.
func (s *Snapshot) Path(key [32]byte) (p Path, ok bool) {
	s.pool.mu.RLock()
	defer s.pool.mu.RUnlock()
	if s.released {
		return Path{}, false
	}
	for at, depth := nodeRef(s.top), 0; ; depth++ {
		n := s.pool.nodes.at(at.index())
		slot := nibble(&key, depth)
		var step Step
		for i, c := range n.child {
			if c == 0 {
				continue
			}
			step.Bitmap |= 1 << i
			switch {
			case byte(i) == slot:
			case c.isLeaf():
				step.Beside = append(step.Beside, s.pool.leaves.at(c.index()).Digest())
			default:
				step.Beside = append(step.Beside, s.pool.nodes.at(c.index()).sum)
			}
		}
		p.Steps = append(p.Steps, step)
		switch at = n.child[slot]; {
		case at == 0:
			return p, true
		case at.isLeaf():
			if l := s.pool.leaves.at(at.index()).Leaf; l.Key == key {
				p.End = KeyLeaf
			} else {
				p.End, p.Other = OtherLeaf, l
			}
			return p, true
		}
	}
}

// errPath says that a path cannot be one of the key.
var errPath = errors.New("the path is none of this key")

// Root returns the root of the tree that the path shows. Value is the SHA-256 of the key's value, or nil to show that the
// tree does not hold the key. The error says that the path shows something else, whatever the root.
func (p *Path) Root(key [32]byte, value *[32]byte) (root [32]byte, err error) {
	if len(p.Steps) == 0 || len(p.Steps) > maxDepth || (value != nil) != (p.End == KeyLeaf) {
		return root, errPath
	}
	switch p.End {
	case KeyLeaf:
		root = Leaf{Key: key, Value: *value}.Digest()
	case OtherLeaf:
		for depth := range p.Steps { // else the leaf would not be here
			if nibble(&p.Other.Key, depth) != nibble(&key, depth) {
				return root, errPath
			}
		}
		if p.Other.Key == key {
			return root, errPath
		}
		root = p.Other.Digest()
	case Nothing:
	default:
		return root, errPath
	}
	for depth := len(p.Steps) - 1; depth >= 0; depth-- {
		step, slot := &p.Steps[depth], nibble(&key, depth)
		on := step.Bitmap&(1<<slot) != 0
		if on == (depth == len(p.Steps)-1 && p.End == Nothing) {
			return root, errPath
		}
		var sums [16][32]byte
		beside := step.Beside
		for i := range sums {
			switch {
			case step.Bitmap&(1<<i) == 0:
			case byte(i) == slot:
				sums[i] = root
			case len(beside) == 0:
				return root, errPath
			default:
				sums[i], beside = beside[0], beside[1:]
			}
		}
		if len(beside) > 0 {
			return root, errPath
		}
		root = DigestOf(&sums, step.Bitmap)
	}
	return root, nil
}

// ErrPath says that bytes are not the encoding of a path.
var ErrPath = errors.New("the bytes are no encoding of a path")

// Append appends the path in bytes: the end, the other leaf if there is one, the number of steps, and for each step its
// bitmap and the digests beside the path. How many these are follows from the bitmap and the key's nibble, so it is
// written only for them: one byte.
func (p *Path) Append(b []byte) []byte {
	b = append(b, byte(p.End))
	if p.End == OtherLeaf {
		b = append(append(b, p.Other.Key[:]...), p.Other.Value[:]...)
	}
	b = append(b, byte(len(p.Steps)))
	for _, s := range p.Steps {
		b = append(binary.BigEndian.AppendUint16(b, s.Bitmap), byte(len(s.Beside)))
		for _, d := range s.Beside {
			b = append(b, d[:]...)
		}
	}
	return b
}

// ReadPath reads a path from the front of some bytes, and returns the rest. It never panics, and allocates no more than
// the bytes hold.
func ReadPath(b []byte) (p Path, rest []byte, err error) {
	take := func(n int) []byte {
		if err != nil || n > len(b) {
			err = ErrPath
			return make([]byte, n) // at most 512 bytes
		}
		taken := b[:n]
		b = b[n:]
		return taken
	}
	if p.End = End(take(1)[0]); p.End > OtherLeaf {
		return Path{}, nil, ErrPath
	}
	if p.End == OtherLeaf {
		p.Other = Leaf{Key: [32]byte(take(32)), Value: [32]byte(take(32))}
	}
	steps := int(take(1)[0])
	if steps == 0 || steps > maxDepth {
		return Path{}, nil, ErrPath
	}
	for range steps {
		step := Step{Bitmap: binary.BigEndian.Uint16(take(2))}
		n := int(take(1)[0])
		if n > 16 {
			return Path{}, nil, ErrPath
		}
		for range n {
			step.Beside = append(step.Beside, [32]byte(take(32)))
		}
		if err != nil {
			return Path{}, nil, err
		}
		p.Steps = append(p.Steps, step)
	}
	return p, b, err
}
