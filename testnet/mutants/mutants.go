// Package mutants holds mutants: small deliberate mistakes in Tagma. Each is a unified diff with a few lines of text
// before it, and is compiled in place of the original code. If no checker finds one of them, the tests have a gap
// (docs/testing.md, Mutants).
//
// It owns the diffs, and makes the files that the compiler reads instead of the originals. It must not change the
// checkout, and it runs nothing: the command in hunt builds programs with mutants and runs the checkers.
package mutants

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"
)

// Hunter is the checker that must find a mutant.
type Hunter string

// The hunters.
const (
	Explore Hunter = "explore" // tagma-testnet explore
	Sim     Hunter = "sim"     // tagma-testnet sim
	// One test of a package; used if the simulator does not run the code, or reaches it too rarely.
	Test Hunter = "test"
)

// Mutant is one deliberate break.
type Mutant struct {
	Name   string
	What   string   // the break in a sentence, with the rule that it breaks
	Hunter Hunter   // what must catch it
	Flags  []string // flags of the hunter; for Test, only the folder of the package, such as ./pbft
	// Invariants or rules, one of which the finding must name; for Test, the name of the test that must fail.
	Expect []string
	Files  []*gitdiff.File
}

const extension = ".diff"

//go:embed *.diff
var diffs embed.FS

// List returns all mutants, by name. It fails if one of the files is not a mutant.
func List() ([]Mutant, error) {
	entries, err := diffs.ReadDir(".")
	if err != nil {
		return nil, fmt.Errorf("list the mutants: %w", err)
	}
	list := make([]Mutant, len(entries))
	for i, e := range entries {
		text, err := diffs.ReadFile(e.Name())
		if err == nil {
			list[i], err = Parse(strings.TrimSuffix(e.Name(), extension), string(text))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return list, nil
}

// Parse reads a mutant. Before its diff it has the lines what, hunter, flags (may be missing) and expect, each in the
// form `key: value`. A value continues in lines that begin with a blank. Lines that begin with # are comments. The rules
// in expect are separated by commas. For the hunter test, flags is the folder of a package and expect the name of a test
// of it.
func Parse(name, text string) (Mutant, error) {
	m := Mutant{Name: name}
	files, head, err := gitdiff.Parse(strings.NewReader(text))
	if err != nil {
		return m, fmt.Errorf("it is no unified diff: %w", err)
	}
	m.Files = files
	for _, line := range strings.Split(strings.ReplaceAll(head, "\n ", " "), "\n") {
		key, value, ok := strings.Cut(line, ":")
		value = strings.Join(strings.Fields(value), " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !ok:
			return m, fmt.Errorf("%q is no `key: value`", line)
		case key == "what":
			m.What = value
		case key == "hunter":
			m.Hunter = Hunter(value)
		case key == "flags":
			m.Flags = strings.Fields(value)
		case key == "expect":
			for rule := range strings.SplitSeq(value, ",") {
				m.Expect = append(m.Expect, strings.TrimSpace(rule))
			}
		default:
			return m, fmt.Errorf("there is no key %q; the keys are what, hunter, flags and expect", key)
		}
	}
	return m, m.validate()
}

var testName = regexp.MustCompile(`^Test\w+$`)

func (m *Mutant) validate() error {
	switch {
	case m.What == "" || len(m.Expect) == 0 || slices.Contains(m.Expect, ""):
		return fmt.Errorf("what and expect: one is missing or empty")
	case m.Hunter != Explore && m.Hunter != Sim && m.Hunter != Test:
		return fmt.Errorf("hunter: %q is none of %s, %s and %s", m.Hunter, Explore, Sim, Test)
	case m.Hunter == Test && (len(m.Flags) != 1 || !strings.HasPrefix(m.Flags[0], "./")):
		return fmt.Errorf("flags: %q; for the hunter %s give the folder of one package, such as ./pbft", m.Flags, Test)
	case m.Hunter == Test && (len(m.Expect) != 1 || !testName.MatchString(m.Expect[0])):
		return fmt.Errorf("expect: %q; for the hunter %s name one test", m.Expect, Test)
	case len(m.Files) == 0:
		return fmt.Errorf("there is no diff behind the words")
	}
	return nil
}

// Overlay writes a mutant's changed files to dir. It returns an overlay file (go build -overlay), with which the compiler
// reads them in place of the files of the module at root. More adds further replacements.
func (m *Mutant) Overlay(root, dir string, more map[string]string) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for file, by := range more {
		overlay.Replace[filepath.Join(root, file)] = by
	}
	for i, f := range m.Files {
		name := fileName(f)
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return "", fmt.Errorf("mutant %s: %w", m.Name, err)
		}
		changed, err := apply(f, string(text))
		if err != nil {
			return "", fmt.Errorf("mutant %s does not fit %s: %w; adapt the mutant to the code", m.Name, name, err)
		}
		with := filepath.Join(dir, fmt.Sprintf("%s.%d.go", m.Name, i))
		if err := os.WriteFile(with, []byte(changed), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(root, name)] = with
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, m.Name+".json")
	return file, os.WriteFile(file, text, 0o600)
}

func fileName(f *gitdiff.File) string { return filepath.FromSlash(strings.TrimPrefix(f.NewName, "b/")) }

// apply makes the changes of one file. The old lines of each change must occur in the file exactly once. Their line
// numbers do not matter, since the code above may have grown.
func apply(f *gitdiff.File, text string) (string, error) {
	text = "\n" + text
	for _, hunk := range f.TextFragments {
		before, after := "\n", "\n"
		for _, line := range hunk.Lines {
			if line.Old() {
				before += line.Line
			}
			if line.New() {
				after += line.Line
			}
		}
		at := strings.Index(text, before)
		switch {
		case at < 0:
			return "", fmt.Errorf("what its hunk %s changes is not there", hunk.Header())
		case strings.LastIndex(text, before) != at:
			return "", fmt.Errorf("what its hunk %s changes is there more than once", hunk.Header())
		}
		text = strings.Replace(text, before, after, 1)
	}
	return text[1:], nil
}
