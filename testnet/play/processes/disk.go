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

// dataDir is the data disk in a home: journal, state and evidence are there. The key, the settings and the file life are
// beside it.
const dataDir = "data"

// Data is the directory of a replica's data.
func Data(home string) string { return filepath.Join(home, dataDir) }

// wipe empties a replica's data.
func wipe(home string) error {
	return errors.Join(os.RemoveAll(Data(home)), os.Mkdir(Data(home), 0o700))
}

// loseState removes a replica's state and nothing else.
func loseState(home string) error { return os.RemoveAll(filepath.Join(Data(home), node.StateDir)) }

// unmounted is where a replica's data are while they are not mounted, with the life that they belong to.
func unmounted(home string) string { return home + ".unmounted" }

// kept is the directory for a copy of a home. The copy lacks the key and the settings.
func kept(home string) string { return home + ".kept" }

// unmount moves a replica's data away: what is left is the empty directory where they were mounted.
func unmount(home string) error {
	return errors.Join(bring(home, unmounted(home), os.Rename), wipe(home))
}

// mount moves the data back, unless the replica has begun a new life meanwhile, whose data are in their place.
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

// bring has data take the place of those that are somewhere else, with a copy of the life that they belong to.
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

// lifeOf is the life that the file beside a replica's key names, "" if there is none.
func lifeOf(home string) string {
	text, err := os.ReadFile(filepath.Join(home, node.LifeFile))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text))
}

// sectorBytes is what a journal is written in; docs/journal.md has its format.
const sectorBytes = 512

// flipBit turns one bit of a written sector of the newest journal segment. The bytes to choose from end with the last of
// those sectors.
func flipBit(home string, seed uint64, where *links.Place) error {
	path, data, err := newestSegment(home)
	if err != nil {
		return err
	}
	return turnBit(path, data, seed, where)
}

// rotStore turns one bit of what the store wrote last: of its write-ahead file, or of a table if that is empty.
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

// turnBit turns a bit in a written sector of a file.
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

// tearTurn leaves what a loss of power leaves in the middle of a write: the first half of a turn of two sectors behind
// the last one, which nothing was sent of.
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

// differing is where the sectors begin in which two segments of one size are not alike.
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
