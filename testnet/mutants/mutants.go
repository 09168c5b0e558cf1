// Package mutants holds small deliberate breaks of Tagma, each a text file, and applies them to a copy of the source: a
// checker that lets one of them pass is a hole in the tests (docs/testing.md, Mutants).
//
// It owns the files and the changing of a copy. It must not change the checkout that it is built from, and it runs nothing:
// the command in hunt builds and hunts.
package mutants

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Hunter is what must catch a mutant.
type Hunter string

// The hunters.
const (
	Explore Hunter = "explore" // tagma-testnet explore
	Sim     Hunter = "sim"     // tagma-testnet sim
	Test    Hunter = "test"    // one test of a package, for what lies below the simulator's ports or is too rare for it
)

// Mutant is one deliberate break.
type Mutant struct {
	Name   string
	What   string   // the break in a sentence, with the rule that it breaks
	Hunter Hunter   // what must catch it
	Flags  []string // of the hunter; of Test the folder of the package alone, such as ./pbft
	Expect string   // what the finding must name: an invariant or a rule; of Test the test that must fail
	Edits  []Edit
}

// Edit replaces a text that occurs exactly once in a file.
type Edit struct {
	File     string // below the module's root, with slashes
	Old, New string // whole lines
}

//go:embed *.mutant
var files embed.FS

// List returns all mutants, by name. It fails if one of the files is not a mutant.
func List() ([]Mutant, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list the mutants: %w", err)
	}
	var list []Mutant
	for _, e := range entries {
		text, err := files.ReadFile(e.Name())
		if err != nil {
			return nil, fmt.Errorf("read the mutant %s: %w", e.Name(), err)
		}
		m, err := Parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Mutant) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if list[i-1].Name == list[i].Name {
			return nil, fmt.Errorf("two mutants are named %s", list[i].Name)
		}
	}
	return list, nil
}

// Apply makes the mutant's edits below root, which is a copy of the module's source. It changes nothing unless every old
// text occurs exactly once: a mutant that no longer fits the code must be written anew, not half applied.
func (m Mutant) Apply(root string) error {
	changed := map[string]string{}
	for _, e := range m.Edits {
		text, ok := changed[e.File]
		if !ok {
			read, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.File)))
			if err != nil {
				return fmt.Errorf("mutant %s: %w", m.Name, err)
			}
			text = string(read)
		}
		if k := strings.Count(text, e.Old); k != 1 {
			return fmt.Errorf("mutant %s: its old text occurs %d times in %s, not once; adapt the mutant to the code", m.Name, k, e.File)
		}
		changed[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	for file, text := range changed {
		if err := os.WriteFile(filepath.Join(root, filepath.FromSlash(file)), []byte(text), 0o600); err != nil {
			return fmt.Errorf("mutant %s: %w", m.Name, err)
		}
	}
	return nil
}
