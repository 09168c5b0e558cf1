package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// precheck looks at the files before badger does. Badger ends the process on some damage, because it opens tables in
// goroutines of its own, where a panic cannot be recovered; and it deletes every table if its manifest is gone. precheck
// returns how many tables lie on level 0. The directory must be locked.
func precheck(dir string) (levelZero int, err error) {
	mems, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return 0, err
	}
	for _, mem := range mems {
		if err := removeEmpty(mem); err != nil {
			return 0, err
		}
	}
	manifest, err := readManifest(dir)
	if errors.Is(err, fs.ErrNotExist) {
		ssts, globErr := filepath.Glob(filepath.Join(dir, "*.sst"))
		if len(mems)+len(ssts) > 0 {
			return 0, fmt.Errorf("%w: MANIFEST is missing", ErrDamaged)
		}
		return 0, globErr
	}
	if err != nil {
		return 0, fmt.Errorf("%w: MANIFEST: %w", ErrDamaged, err)
	}
	for id, t := range manifest.Tables {
		if t.Level == 0 {
			levelZero++
		}
		name := table.IDToFilename(id)
		if err := checkTable(filepath.Join(dir, name)); err != nil {
			return 0, fmt.Errorf("%w: %s: %w", ErrDamaged, name, err)
		}
	}
	return levelZero, nil
}

// removeEmpty deletes a write-ahead file of no bytes, which a crash leaves between its creation and its first byte, and
// which badger refuses to open.
func removeEmpty(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return err
	}
	return os.Remove(path)
}

func readManifest(dir string) (badger.Manifest, error) {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return badger.Manifest{}, err
	}
	defer func() { _ = f.Close() }() // Only read.
	manifest, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	return manifest, err
}

var errTable = errors.New("the table is cut or overwritten")

// checkTable verifies the checksums of a table's index and of all its blocks. The layout, from the end of the file:
// checksum length (4 bytes), checksum, index length (4 bytes), index; each block ends in checksum and checksum length.
func checkTable(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rest, sum, err := cutTail(data)
	if err != nil {
		return err
	}
	rest, index, err := cutTail(rest)
	if err != nil {
		return err
	}
	if err := checkSum(index, sum); err != nil {
		return err
	}
	offsets := fb.GetRootAsTableIndex(index, 0)
	var at fb.BlockOffset
	for i := range offsets.OffsetsLength() {
		if !offsets.Offsets(&at, i) || uint64(at.Offset())+uint64(at.Len()) > uint64(len(rest)) {
			return errTable
		}
		block, sum, err := cutTail(rest[at.Offset() : at.Offset()+at.Len()])
		if err != nil {
			return err
		}
		if err := checkSum(block, sum); err != nil {
			return err
		}
	}
	return nil
}

// cutTail splits off a part that is followed by its length in four bytes.
func cutTail(data []byte) (rest, part []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errTable
	}
	body := data[:len(data)-4]
	n := uint64(binary.BigEndian.Uint32(data[len(body):]))
	if n > uint64(len(body)) {
		return nil, nil, errTable
	}
	return body[:uint64(len(body))-n], body[uint64(len(body))-n:], nil
}

// checkSum refuses empty data: zeros would parse as nothing with a checksum of nothing, which agree.
func checkSum(data, encoded []byte) error {
	var sum pb.Checksum
	if err := proto.Unmarshal(encoded, &sum); err != nil || len(data) == 0 {
		return errTable
	}
	// The algorithm is checked here because badger panics on one it does not know.
	if _, known := pb.Checksum_Algorithm_name[int32(sum.Algo)]; !known {
		return errTable
	}
	return y.VerifyChecksum(data, &sum)
}
