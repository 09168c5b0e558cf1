package statemachine

import (
	"encoding/binary"
	"errors"
	"slices"
)

// Records are replicated bytes that the root digest covers, so every state must have exactly one encoding. All integers
// are big endian with fixed width, lists are in ascending order, and the decoders refuse everything that the encoders
// do not write.
const recordVersion = 1

const (
	cachedHeader = 8 + 32 + 8 + 4 // t, digest, seq, number of results
	resultHeader = 4              // length of the result
)

var errRecord = errors.New("the record is malformed")

// size is how many bytes the reply takes in its session's record.
func (r *cached) size() int {
	n := cachedHeader
	for _, result := range r.results {
		n += resultHeader + len(result)
	}
	return n
}

// encode writes the version, the floor, the number of held sessions and their numbers.
func (c *client) encode() []byte {
	b := make([]byte, 0, 1+8+4+8*len(c.held))
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, c.floor)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.held)))
	for _, s := range c.held {
		b = binary.BigEndian.AppendUint64(b, s.number)
	}
	return b
}

func decodeClient(key [32]byte, record []byte) (*client, error) {
	d := decoder{rest: record}
	d.version()
	c := &client{key: key, floor: d.uint64()}
	n := d.count(8)
	c.held = make([]*session, 0, n)
	last := c.floor
	for range n {
		number := d.uint64()
		d.require(number > last)
		last = number
		c.held = append(c.held, &session{owner: c, number: number})
	}
	return c, d.end()
}

// encode writes the version, acked, the number of replies, and for each reply t, digest, seq, the number of results and
// each result preceded by its length.
func (s *session) encode() []byte {
	b := make([]byte, 0, 1+8+4+s.replyBytes)
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, s.acked)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.replies)))
	for i := range s.replies {
		r := &s.replies[i]
		b = binary.BigEndian.AppendUint64(b, r.t)
		b = append(b, r.digest[:]...)
		b = binary.BigEndian.AppendUint64(b, r.seq)
		b = binary.BigEndian.AppendUint32(b, uint32(len(r.results)))
		for _, result := range r.results {
			b = binary.BigEndian.AppendUint32(b, uint32(len(result)))
			b = append(b, result...)
		}
	}
	return b
}

// decode fills in a session whose owner and number are already set.
func (s *session) decode(record []byte) error {
	d := decoder{rest: record}
	d.version()
	s.acked = d.uint64()
	n := d.count(cachedHeader)
	s.replies = make([]cached, 0, n)
	for i := range n {
		r := cached{t: d.uint64(), digest: d.bytes32(), seq: d.uint64()}
		d.require(r.t >= s.acked && (i == 0 || r.t > s.replies[i-1].t))
		results := d.count(resultHeader)
		r.results = make([][]byte, 0, results)
		for range results {
			r.results = append(r.results, slices.Clone(d.take(d.count(1))))
		}
		s.replies = append(s.replies, r)
		s.charge(r.size())
	}
	return d.end()
}

// decoder reads a record from the front. After the first malformed read every later read yields zero.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) require(ok bool) {
	if !ok {
		d.bad, d.rest = true, nil
	}
}

func (d *decoder) take(n int) []byte {
	d.require(n <= len(d.rest))
	if d.bad {
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) version() {
	v := d.take(1)
	d.require(len(v) == 1 && v[0] == recordVersion)
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) bytes32() (out [32]byte) {
	copy(out[:], d.take(32))
	return out
}

// count reads the length of a list whose elements take at least size bytes each. The length is bounded by what is left,
// so a caller may allocate for it.
func (d *decoder) count(size int) int {
	b := d.take(4)
	if b == nil {
		return 0
	}
	n := binary.BigEndian.Uint32(b)
	d.require(uint64(n)*uint64(size) <= uint64(len(d.rest)))
	if d.bad {
		return 0
	}
	return int(n)
}

func (d *decoder) end() error {
	d.require(len(d.rest) == 0)
	if d.bad {
		return errRecord
	}
	return nil
}
