package processes

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"tagma/internal/node"
)

// The journal's format as far as damage needs it; docs/journal.md has the whole.
const (
	sectorBytes  = 512
	payloadBytes = 480
	kindTurn     = 3
)

// flipBit turns one bit of a written sector of the newest journal segment.
func flipBit(home string, seed uint64) error {
	path, data, err := newestSegment(home)
	if err != nil {
		return err
	}
	var written []int
	for at := 0; at+sectorBytes <= len(data); at += sectorBytes {
		if !empty(data[at : at+sectorBytes]) {
			written = append(written, at)
		}
	}
	if len(written) == 0 {
		return fmt.Errorf("%s holds nothing to damage", path)
	}
	dice := rand.New(rand.NewPCG(seed, 1))
	at := written[dice.IntN(len(written))] + dice.IntN(sectorBytes)
	return overwrite(path, int64(at), []byte{data[at] ^ 1<<dice.IntN(8)})
}

// tearTurn leaves what a loss of power leaves in the middle of a write: the first half of a turn of two sectors behind
// the last one, which nothing was sent of.
func tearTurn(home string, seed uint64) error {
	path, data, err := newestSegment(home)
	if err != nil {
		return err
	}
	last := -1
	for at := 0; at+2*sectorBytes <= len(data); at += sectorBytes { // the last sector is the seal's
		if !empty(data[at : at+sectorBytes]) {
			last = at
		}
	}
	next := last + sectorBytes
	if last < 0 || next+3*sectorBytes > len(data) {
		return fmt.Errorf("%s has no room for another turn", path)
	}
	dice := rand.New(rand.NewPCG(seed, 2))
	torn := make([]byte, sectorBytes)
	torn[4], torn[5] = data[last+4], kindTurn
	binary.LittleEndian.PutUint16(torn[6:], uint16(dice.Uint32()))
	copy(torn[8:16], data[last+8:last+16]) // the segment's epoch
	binary.LittleEndian.PutUint64(torn[16:], binary.LittleEndian.Uint64(data[last+16:])+1)
	binary.LittleEndian.PutUint32(torn[28:], 2*payloadBytes)
	for i := sectorBytes - payloadBytes; i < sectorBytes; i++ {
		torn[i] = byte(dice.Uint32())
	}
	binary.LittleEndian.PutUint32(torn, crc32.Checksum(torn[4:], crc32.MakeTable(crc32.Castagnoli)))
	return overwrite(path, int64(next), torn)
}

// newestSegment reads the last segment of a stopped replica's journal.
func newestSegment(home string) (path string, data []byte, err error) {
	names, err := filepath.Glob(filepath.Join(home, node.JournalDir, "*.segment"))
	if err != nil {
		return "", nil, err
	}
	if len(names) == 0 {
		return "", nil, fmt.Errorf("there is no journal in %s", home)
	}
	slices.Sort(names)
	path = names[len(names)-1]
	if data, err = os.ReadFile(path); err != nil {
		return "", nil, fmt.Errorf("read a journal to damage it: %w", err)
	}
	return path, data, nil
}

func overwrite(path string, at int64, bytes []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("damage a journal: %w", err)
	}
	_, err = f.WriteAt(bytes, at)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("damage a journal: %w", err)
	}
	return nil
}

func empty(b []byte) bool { return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }
