package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// precheck checks the files before badger opens them. Some damage makes badger end the process, because it opens
// tables on goroutines of its own, where a panic cannot be recovered. If its manifest is missing, badger deletes
// every table. precheck removes damaged and missing tables from the manifest. Their entries then are missing or have
// an older version, which the root shows, and only those entries are fetched (X4). A manifest that cannot be read is
// rebuilt from the tables. precheck returns the number of tables on level 0, and what it left out or rebuilt. The
// directory must be locked.
func precheck(dir string) (levelZero int, left []string, err error) {
	mems, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return 0, nil, err
	}
	for _, mem := range mems {
		if err := removeEmpty(mem); err != nil {
			return 0, nil, err
		}
	}
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return 0, nil, err
	}
	manifest, whole, err := readManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(mems)+len(tables) == 0:
		return 0, nil, nil
	case errors.Is(err, errOtherVersion):
		return 0, nil, fmt.Errorf("%w: MANIFEST: %w", ErrDamaged, err)
	case err != nil && isSystem(err):
		return 0, nil, fmt.Errorf("read MANIFEST: %w", err)
	case err != nil:
		levelZero, left, err := rebuildManifest(dir, tables)
		if err != nil {
			return 0, nil, fmt.Errorf("make MANIFEST anew: %w", err)
		}
		return levelZero, append(left, badger.ManifestFilename), nil
	}
	var changes []*pb.ManifestChange
	for id, t := range manifest.Tables {
		name := table.IDToFilename(id)
		_, err := checkTable(filepath.Join(dir, name))
		switch {
		case err != nil && !isSystem(err):
			changes = append(changes, &pb.ManifestChange{Id: id, Op: pb.ManifestChange_DELETE})
			left = append(left, name)
		case err != nil:
			return 0, nil, err
		case t.Level == 0:
			levelZero++
		}
	}
	if err := leaveOut(dir, whole, changes); err != nil {
		return 0, nil, fmt.Errorf("take damaged tables out of the manifest: %w", err)
	}
	slices.Sort(left)
	return levelZero, left, nil
}

// removeEmpty deletes a write-ahead file without any bytes. A crash between the creation of the file and its first byte
// leaves such a file, which badger refuses to open.
func removeEmpty(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > 0 {
		return err
	}
	return os.Remove(path)
}

// isSystem reports whether the system refused an access for a reason that says nothing about the content, such as
// permissions.
func isSystem(err error) bool {
	return errors.As(err, new(*fs.PathError)) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.EIO)
}

var errTable = errors.New("the table is cut or overwritten")

// checkTable verifies the checksums of a table's index and of all its blocks, and returns how many bytes it read. The
// layout, from the end of the file: checksum length (4 bytes), checksum, index length (4 bytes), index. Each block ends
// in its checksum and the checksum's length.
func checkTable(path string) (bytes int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return len(data), err
	}
	rest, sum, err := cutTail(data)
	if err != nil {
		return len(data), err
	}
	rest, index, err := cutTail(rest)
	if err != nil {
		return len(data), err
	}
	if err := checkSum(index, sum); err != nil {
		return len(data), err
	}
	offsets := fb.GetRootAsTableIndex(index, 0)
	var at fb.BlockOffset
	for i := range offsets.OffsetsLength() {
		if !offsets.Offsets(&at, i) || uint64(at.Offset())+uint64(at.Len()) > uint64(len(rest)) {
			return len(data), errTable
		}
		block, sum, err := cutTail(rest[at.Offset() : at.Offset()+at.Len()])
		if err != nil {
			return len(data), err
		}
		if err := checkSum(block, sum); err != nil {
			return len(data), err
		}
	}
	return len(data), nil
}

// cutTail splits data that ends with a part and the part's length in four bytes.
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

// checkSum verifies a checksum. It refuses empty data, because zeroed bytes would parse as no data with a matching checksum.
func checkSum(data, encoded []byte) error {
	var sum pb.Checksum
	if err := proto.Unmarshal(encoded, &sum); err != nil || len(data) == 0 {
		return errTable
	}
	// Checked here because badger panics if it does not know the algorithm.
	if _, known := pb.Checksum_Algorithm_name[int32(sum.Algo)]; !known {
		return errTable
	}
	return y.VerifyChecksum(data, &sum)
}

// roomFor returns a size of memtables, at least memTable, with which badger can read back every write-ahead file that a
// crash left; badger ends the process if a file holds more than a memtable takes. A file of exactly twice memTable was
// begun with this size. A file of another length is from a run with other memtables, or was cut after its last entry.
// The entries of a small file may take twice as much in memory.
func roomFor(dir string, memTable int64) (int64, error) {
	mems, err := filepath.Glob(filepath.Join(dir, "*.mem"))
	if err != nil {
		return 0, err
	}
	room := memTable
	for _, mem := range mems {
		info, err := os.Stat(mem)
		if err != nil {
			return 0, err
		}
		if info.Size() == 2*memTable {
			continue
		}
		content, err := os.ReadFile(mem)
		if err != nil {
			return 0, err
		}
		room = max(room, 3*int64(len(bytes.TrimRight(content, "\x00"))))
	}
	return room, nil
}
