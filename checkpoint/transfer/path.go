package transfer

// maxDepth is the number of nibbles of a key hash, and so the length of the longest path.
const maxDepth = 64

// Path is a place in the tree: the first nibbles of a key hash. The zero Path is the root. Paths are compared with ==.
type Path struct {
	packed [maxDepth / 2]byte // two nibbles per byte, the earlier one in the upper half; zero beyond the end
	depth  uint8
}

// keyPath returns the path of a whole key hash.
func keyPath(hash [32]byte) Path { return Path{packed: hash, depth: maxDepth} }

// Depth returns the number of nibbles: 0 to 64.
func (p Path) Depth() int { return int(p.depth) }

// child returns the path one nibble longer. The depth of p must be below 64.
func (p Path) child(slot int) Path {
	if p.depth%2 == 0 {
		p.packed[p.depth/2] = byte(slot) << 4
	} else {
		p.packed[p.depth/2] |= byte(slot)
	}
	p.depth++
	return p
}

// holds reports whether hash begins with the path.
func (p Path) holds(hash *[32]byte) bool {
	whole := int(p.depth / 2)
	for i := range whole {
		if p.packed[i] != hash[i] {
			return false
		}
	}
	return p.depth%2 == 0 || p.packed[whole]>>4 == hash[whole]>>4
}

// nibbles writes the path into buf, one nibble per byte.
func (p Path) nibbles(buf *[maxDepth]byte) []byte {
	for i := range int(p.depth) {
		buf[i] = nibble(&p.packed, i)
	}
	return buf[:p.depth]
}

func nibble(hash *[32]byte, at int) byte {
	if at%2 == 0 {
		return hash[at/2] >> 4
	}
	return hash[at/2] & 15
}
