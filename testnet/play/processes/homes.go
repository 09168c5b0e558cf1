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

// kept is where a copy of a home is, but for key and settings.
func kept(home string) string { return home + ".kept" }

// unmount moves a replica's data away.
func unmount(home string) error { return bring(home, unmounted(home), os.Rename) }

// mount moves them back, unless the replica has begun a new life meanwhile, whose data are in their place.
func mount(home string) error {
	away := unmounted(home)
	if _, err := os.Stat(away); err != nil {
		return fmt.Errorf("mount data: %w", err)
	}
	if lifeOf(home) != lifeOf(away) {
		return nil
	}
	if err := wipe(home); err != nil {
		return err
	}
	return errors.Join(bring(away, home, os.Rename), os.RemoveAll(away))
}

// keep copies a home. Nobody may write to it meanwhile.
func keep(home string) error {
	if err := os.RemoveAll(kept(home)); err != nil {
		return err
	}
	return bring(home, kept(home), duplicate)
}

// rollback puts the copy of a home in its place.
func rollback(home string) error {
	if err := wipe(home); err != nil {
		return err
	}
	return bring(kept(home), home, duplicate)
}

func duplicate(from, to string) error { return os.CopyFS(to, os.DirFS(from)) }

// bring brings data, as far as there are any, from one place to another, and a copy of the life that they belong to.
func bring(from, to string, how func(from, to string) error) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, part := range data {
		if err := how(filepath.Join(from, part), filepath.Join(to, part)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
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
