package processes

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"tagma/checkpoint/journal"
	"tagma/internal/node"
	"tagma/testnet/links"
)

// DataDir is the directory in a home that takes the place of a data disk. It holds journal, state and evidence. The key,
// the settings and the file life are beside it.
const DataDir = "data"

// Data is the directory of a replica's data.
func Data(home string) string { return filepath.Join(home, DataDir) }

// Wipe empties a replica's data.
func Wipe(home string) error {
	return errors.Join(os.RemoveAll(Data(home)), os.Mkdir(Data(home), 0o700))
}

// loseState removes a replica's state and nothing else.
func loseState(home string) error { return os.RemoveAll(filepath.Join(Data(home), node.StateDir)) }

// unmounted is the directory that holds a replica's data while they are not mounted, and the life to which they belong.
func unmounted(home string) string { return home + ".unmounted" }

// kept is the directory for a copy of a home. The copy lacks the key and the settings.
func kept(home string) string { return home + ".kept" }

// unmount moves a replica's data away and leaves an empty directory.
func unmount(home string) error {
	return errors.Join(bring(home, unmounted(home), os.Rename), Wipe(home))
}

// mount moves the data back. If the replica has begun a new life meanwhile, it leaves the data of that life.
func mount(home string) error {
	away := unmounted(home)
	if _, err := os.Stat(away); err != nil {
		return fmt.Errorf("mount data: %w", err)
	}
	if lifeOf(home) != lifeOf(away) {
		return nil
	}
	return errors.Join(bring(away, home, os.Rename), os.RemoveAll(away))
}

// keep copies a home. Nobody may write to it meanwhile.
func keep(home string) error { return bring(home, kept(home), duplicate) }

// rollback puts the copy of a home in its place.
func rollback(home string) error { return bring(kept(home), home, duplicate) }

func duplicate(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }

// bring replaces the data of home to by those of home from, and copies the life that they belong to.
func bring(from, to string, how func(from, to string) error) error {
	if err := errors.Join(os.MkdirAll(to, 0o700), os.RemoveAll(Data(to)), how(Data(from), Data(to))); err != nil {
		return err
	}
	life, err := os.ReadFile(filepath.Join(from, node.LifeFile))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, node.LifeFile), life, 0o600)
}

// lifeOf returns the life in the file beside a replica's key, "" if there is none.
func lifeOf(home string) string {
	text, err := os.ReadFile(filepath.Join(home, node.LifeFile))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text))
}

// sectorBytes is the unit in which a journal is written (docs/journal.md).
const sectorBytes = 512

// flipBit flips one bit in a written sector of the newest journal segment. A negative where.Byte counts from the end of
// the last written sector.
func flipBit(home string, seed uint64, where *links.Place) error {
	path, data, err := newestSegment(home)
	if err != nil {
		return err
	}
	return turnBit(path, data, seed, where)
}

// rotStore flips one bit of what the store has written last: in its write-ahead file or, if that is empty, in its newest
// table.
func rotStore(home string, seed uint64) error {
	for _, ending := range []string{"*.mem", "*.sst"} {
		names, err := filepath.Glob(filepath.Join(Data(home), node.StateDir, ending))
		if err != nil || len(names) == 0 {
			continue
		}
		path := slices.Max(names)
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read a store to damage it: %w", err)
		}
		if len(differing(data, make([]byte, len(data)))) > 1 { // the first sector of a write-ahead file has no data yet
			return turnBit(path, data, seed, &links.Place{})
		}
	}
	return fmt.Errorf("the store in %s holds nothing to damage", home)
}

// turnBit flips a bit in a written sector of a file.
func turnBit(path string, data []byte, seed uint64, where *links.Place) error {
	written := differing(data, make([]byte, len(data)))
	if len(written) == 0 {
		return fmt.Errorf("%s holds nothing to damage", path)
	}
	dice := rand.New(rand.NewPCG(seed, 1))
	at, bit := 0, byte(0)
	if where.Byte == nil {
		at, bit, _ = where.In(sectorBytes, dice)
		at += written[dice.IntN(len(written))]
	} else {
		end := min(len(data), written[len(written)-1]+sectorBytes)
		var ok bool
		if at, bit, ok = where.In(end, dice); !ok || !slices.Contains(written, at/sectorBytes*sectorBytes) {
			return fmt.Errorf("%s has nothing written in byte %d; it ends at %d", path, *where.Byte, end)
		}
	}
	return overwrite(path, int64(at), []byte{data[at] ^ 1<<bit})
}

// tearTurn has the same effect as a power failure in the middle of a write: it appends a turn of two sectors and erases
// the second one. No message that was sent depends on this turn.
func tearTurn(home string, seed uint64) error {
	j, _, err := journal.Open(filepath.Join(Data(home), node.JournalDir), journal.Options{})
	if err != nil {
		return fmt.Errorf("damage a journal: %w", err)
	}
	_, before, err := newestSegment(home)
	if err == nil {
		noise := make([]byte, sectorBytes)
		_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(noise) // it never fails
		err = j.Append([]journal.Entry{{Data: noise}})
	}
	if err = errors.Join(err, j.Close()); err != nil {
		return fmt.Errorf("damage a journal: %w", err)
	}
	path, after, err := newestSegment(home)
	if err != nil {
		return err
	}
	turn := differing(before, after)
	return overwrite(path, int64(turn[len(turn)-1]), make([]byte, sectorBytes))
}

// newestSegment reads the last segment of a stopped replica's journal.
func newestSegment(home string) (path string, data []byte, err error) {
	names, err := filepath.Glob(filepath.Join(Data(home), node.JournalDir, "*.segment"))
	if err != nil {
		return "", nil, err
	}
	if len(names) == 0 {
		return "", nil, fmt.Errorf("there is no journal in %s", home)
	}
	path = slices.Max(names)
	if data, err = os.ReadFile(path); err != nil {
		return "", nil, fmt.Errorf("read a journal to damage it: %w", err)
	}
	return path, data, nil
}

// differing returns the offsets of the sectors in which two files of one size differ.
func differing(a, b []byte) (sectors []int) {
	for at := 0; at+sectorBytes <= len(a); at += sectorBytes {
		if !bytes.Equal(a[at:at+sectorBytes], b[at:at+sectorBytes]) {
			sectors = append(sectors, at)
		}
	}
	return sectors
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
