package processes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tagma/internal/node"
)

// data are the parts of a home that lie on the data disk: the key, the settings and the file life beside them do not.
var data = []string{node.JournalDir, node.StateDir, node.EvidenceDir}

// wipe empties a replica's data.
func wipe(home string) error { return remove(home, data...) }

// loseState removes a replica's state and nothing else.
func loseState(home string) error { return remove(home, node.StateDir) }

func remove(home string, parts ...string) error {
	var errs []error
	for _, part := range parts {
		errs = append(errs, os.RemoveAll(filepath.Join(home, part)))
	}
	return errors.Join(errs...)
}

// unmounted is where a replica's data are while they are not mounted, with the life that they belong to.
func unmounted(home string) string { return home + ".unmounted" }

// kept is where a copy of a home is.
func kept(home string) string { return home + ".kept" }

// unmount moves a replica's data away.
func unmount(home string) error {
	away := unmounted(home)
	if err := os.Mkdir(away, 0o700); err != nil {
		return fmt.Errorf("unmount data: %w", err)
	}
	for _, part := range data {
		err := os.Rename(filepath.Join(home, part), filepath.Join(away, part))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("unmount data: %w", err)
		}
	}
	return copyFile(filepath.Join(home, node.LifeFile), filepath.Join(away, node.LifeFile))
}

// mount moves them back, unless the replica has begun a new life meanwhile, whose data are in their place.
func mount(home string) error {
	away := unmounted(home)
	was, err := os.ReadFile(filepath.Join(away, node.LifeFile))
	if err != nil {
		return fmt.Errorf("mount data: %w", err)
	}
	if now, err := os.ReadFile(filepath.Join(home, node.LifeFile)); err != nil || !bytes.Equal(was, now) {
		return err
	}
	if err := wipe(home); err != nil {
		return fmt.Errorf("mount data: %w", err)
	}
	for _, part := range data {
		err := os.Rename(filepath.Join(away, part), filepath.Join(home, part))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("mount data: %w", err)
		}
	}
	return os.RemoveAll(away)
}

// keep copies a home, but for key and settings. Nobody may write to it meanwhile.
func keep(home string) error {
	to := kept(home)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return fmt.Errorf("copy a home: %w", err)
	}
	return copyParts(home, to)
}

// rollback puts the copy of a home in its place.
func rollback(home string) error {
	if err := wipe(home); err != nil {
		return err
	}
	return copyParts(kept(home), home)
}

func copyParts(from, to string) error {
	for _, part := range data {
		err := os.CopyFS(filepath.Join(to, part), os.DirFS(filepath.Join(from, part)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy a home: %w", err)
		}
	}
	return copyFile(filepath.Join(from, node.LifeFile), filepath.Join(to, node.LifeFile))
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("copy a home: %w", err)
	}
	return nil
}

// lifeOf is the life that the file beside a replica's key names, "" if there is none.
func lifeOf(home string) string {
	text, err := os.ReadFile(filepath.Join(home, node.LifeFile))
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(text))
}
