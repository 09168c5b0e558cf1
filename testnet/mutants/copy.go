package mutants

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Copy copies go.mod, go.sum and some folders of the module from root to dir, which it makes, with their tests and what
// these read. A mutant is applied to such a copy.
func Copy(root, dir string, folders ...string) error {
	for _, name := range append([]string{"go.mod", "go.sum"}, folders...) {
		if err := copyTree(root, dir, name); err != nil {
			return fmt.Errorf("copy %s of the source to %s: %w", name, dir, err)
		}
	}
	return nil
}

func copyTree(root, dir, name string) error {
	return filepath.WalkDir(filepath.Join(root, name), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		at, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() || !d.Type().IsRegular() || !built(d.Name()):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, at)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o600)
	})
}

// built reports whether a file takes part in a build or a test. What is embedded does, whatever its name, so only what is
// known not to is left out.
func built(name string) bool { return filepath.Ext(name) != ".md" && filepath.Ext(name) != ".test" }
