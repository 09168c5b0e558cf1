package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const (
	sectorBytes  = 512
	sectorHead   = 32
	payloadBytes = sectorBytes - sectorHead // payload bytes of one sector
	version      = 1

	maxTurnBytes = 1 << 30 // payload bytes of one turn: far more than any batch needs, and within the uint32 fields of sector
)

// Version is the version of the format that is written. Journals of other versions are refused.
const Version = version

type kind uint8

const (
	kindHeader kind = 1 + iota
	kindAnchor
	kindTurn
	kindSeal
)

func (k kind) String() string {
	switch k {
	case kindHeader:
		return "header"
	case kindAnchor:
		return "anchor"
	case kindTurn:
		return "turn"
	case kindSeal:
		return "seal"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sector is the head of one sector: to which part of which turn the sector belongs.
type sector struct {
	kind  kind
	start uint16 // of turns: a random number that each start of the process draws
	epoch uint64
	turn  uint64
	index uint32
	bytes uint32 // payload of the whole turn
}

// sectorsFor returns how many sectors a payload takes. An empty payload takes one, so that its turn is visible.
func sectorsFor(payload int64) int64 {
	return max(1, (payload+payloadBytes-1)/payloadBytes)
}

// seal writes the head and the checksum into b, which already holds the payload.
func (s sector) seal(b []byte) {
	b[4], b[5] = version, byte(s.kind)
	binary.LittleEndian.PutUint16(b[6:], s.start)
	binary.LittleEndian.PutUint64(b[8:], s.epoch)
	binary.LittleEndian.PutUint64(b[16:], s.turn)
	binary.LittleEndian.PutUint32(b[24:], s.index)
	binary.LittleEndian.PutUint32(b[28:], s.bytes)
	binary.LittleEndian.PutUint32(b, checksum(b))
}

// parseSector checks b and returns its head. Wrong says what is wrong with it; empty means that it is valid.
func parseSector(b []byte) (s sector, wrong string) {
	if !checksumHolds(b) {
		return s, "its checksum does not match"
	}
	if b[4] != version {
		return s, fmt.Sprintf("it has format version %d, this program reads %d", b[4], version)
	}
	s = sector{
		kind:  kind(b[5]),
		start: binary.LittleEndian.Uint16(b[6:]),
		epoch: binary.LittleEndian.Uint64(b[8:]),
		turn:  binary.LittleEndian.Uint64(b[16:]),
		index: binary.LittleEndian.Uint32(b[24:]),
		bytes: binary.LittleEndian.Uint32(b[28:]),
	}
	return s, ""
}

// differs says how s differs from the sector that must be in this place; empty means that it does not differ.
func (s sector) differs(want sector) string {
	switch {
	case s == want:
		return ""
	case s.epoch != want.epoch:
		return fmt.Sprintf("it belongs to another segment (epoch %016x instead of %016x)", s.epoch, want.epoch)
	case s.kind == want.kind && s.turn == want.turn && s.index == want.index:
		return fmt.Sprintf("it belongs to another attempt at %s %d", s.kind, s.turn)
	}
	return fmt.Sprintf("it is sector %d of %s %d, but sector %d of %s %d must be here",
		s.index, s.kind, s.turn, want.index, want.kind, want.turn)
}

func checksum(b []byte) uint32 { return crc32.Checksum(b[4:sectorBytes], castagnoli) }

func checksumHolds(b []byte) bool { return binary.LittleEndian.Uint32(b) == checksum(b) }

var zeroSector [sectorBytes]byte

func isZero(b []byte) bool { return string(b) == string(zeroSector[:len(b)]) }
