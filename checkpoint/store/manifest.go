package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// Badger's manifest lists the tables and the level of each.

// errOtherVersion says that another version of badger wrote the manifest; the format of its tables may differ, too.
var errOtherVersion = errors.New("it is of another version of badger; use the version of tagma that wrote it")

// errCut says that the end of a manifest cannot be read.
var errCut = errors.New("its end is cut or overwritten")

// readManifest returns the manifest and the length of the file. It treats a file whose end cannot be read as damaged.
// A crash may have cut the file. But a changed length in the middle of the file looks the same, and then badger would
// ignore all that follows and delete the tables that are listed there.
func readManifest(dir string) (manifest badger.Manifest, whole int64, err error) {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if err != nil {
		return badger.Manifest{}, 0, err
	}
	defer func() { _ = f.Close() }() // Only read.
	manifest, whole, err = badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err != nil && strings.Contains(err.Error(), "unsupported version") {
		return manifest, whole, errOtherVersion
	}
	info, unknown := f.Stat()
	if err = errors.Join(err, unknown); err == nil && info.Size() > whole {
		err = errCut
	}
	return manifest, whole, err
}

// rebuildManifest writes a manifest of all intact tables, in place of one that is missing or cannot be read. The
// levels of the tables are not known any more, so it puts all of them on level 0. Tables may overlap there, and
// badger searches all of them for the highest version of a key, so they still give the same entries. Some of these
// tables may have been replaced by compaction before a crash. They may bring back old entries, such as a deleted key.
// Those change the root, so a start notices them and fetches the right entries (X4). rebuildManifest returns the
// number of tables, and which ones it left out.
func rebuildManifest(dir string, tables []string) (levelZero int, left []string, err error) {
	var changes []*pb.ManifestChange
	slices.Sort(tables)
	for _, path := range tables {
		id, named := table.ParseFileID(filepath.Base(path))
		_, err := checkTable(path)
		switch {
		case !named || err != nil && !isSystem(err):
			left = append(left, filepath.Base(path))
		case err != nil:
			return 0, nil, err
		default:
			changes = append(changes, &pb.ManifestChange{Id: id, Op: pb.ManifestChange_CREATE, EncryptionAlgo: pb.EncryptionAlgo_aes})
		}
	}
	head := append([]byte("Bdgr"), 0, 0, 0, manifestVersion)
	entry, err := changeSet(changes)
	if err != nil {
		return 0, nil, err
	}
	path := filepath.Join(dir, badger.ManifestFilename)
	if err := writeSynced(path+".new", append(head, entry...)); err != nil {
		return 0, nil, err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return 0, nil, err
	}
	if err := syncFile(dir); err != nil {
		return 0, nil, err
	}
	_, _, err = readManifest(dir)
	return len(changes), left, err
}

// manifestVersion is the version of the badger that is linked; readManifest refuses others.
const manifestVersion = 8

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// changeSet encodes changes as badger does: length, checksum, changes.
func changeSet(changes []*pb.ManifestChange) ([]byte, error) {
	set, err := proto.Marshal(&pb.ManifestChangeSet{Changes: changes})
	if err != nil {
		return nil, err
	}
	entry := binary.BigEndian.AppendUint32(nil, uint32(len(set)))
	entry = binary.BigEndian.AppendUint32(entry, crc32.Checksum(set, y.CastagnoliCrcTable))
	return append(entry, set...), nil
}

// leaveOut appends entries to the manifest that remove tables from it.
func leaveOut(dir string, whole int64, changes []*pb.ManifestChange) error {
	if len(changes) == 0 {
		return nil
	}
	entry, err := changeSet(changes)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, badger.ManifestFilename), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(entry, whole)
	return errors.Join(err, f.Sync(), f.Close())
}
