package mutants

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/testnet/sim"
)

// TestList_EveryMutantFitsTheCode applies each to a copy: one that no longer fits has to be written anew.
func TestList_EveryMutantFitsTheCode(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 75 {
		t.Fatalf("there are only %d mutants", len(list))
	}
	for _, m := range list {
		dir := t.TempDir()
		var folders []string
		for _, e := range m.Edits {
			folders = append(folders, e.File)
		}
		if err := Copy("../..", dir, folders...); err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(dir); err != nil {
			t.Error(err)
			continue
		}
		if err := m.Apply(dir); err == nil {
			t.Errorf("mutant %s applies twice", m.Name)
		}
		for _, e := range m.Edits {
			text, err := os.ReadFile(filepath.Join(dir, e.File))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), e.New) {
				t.Errorf("mutant %s is not in %s", m.Name, e.File)
			}
		}
	}
}

// TestList_EveryTestThatHuntsIsThere looks for the tests that mutants are hunted with.
func TestList_EveryTestThatHuntsIsThere(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if m.Hunter != Test {
			continue
		}
		names, err := filepath.Glob(filepath.Join("../..", m.Flags[0], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "func "+m.Expect+"(t *testing.T)")
		}
		if !found {
			t.Errorf("mutant %s: there is no %s in %s", m.Name, m.Expect, m.Flags[0])
		}
	}
}

// TestList_EveryPlanIsOne reads the plans that mutants are hunted with.
func TestList_EveryPlanIsOne(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range list {
		for i, flag := range m.Flags[:max(0, len(m.Flags)-1)] {
			if flag == "--plan" {
				used[m.Flags[i+1]] = true
			}
		}
	}
	entries, err := os.ReadDir("plans")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join("plans", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		p, err := sim.ParsePlan(text)
		if err == nil {
			_, err = p.Options()
		}
		if err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
		if !used[e.Name()] {
			t.Errorf("%s is nobody's plan", e.Name())
		}
		delete(used, e.Name())
	}
	for name := range used {
		t.Errorf("there is no plan %s", name)
	}
}

const sound = `# a comment
name: sample
what: a sentence
  that goes on
hunter: sim
flags: --seeds 3
expect: I1

file: a/b.go
old:
	one

	two
new:
end
`

func TestParse_ReadsAMutant(t *testing.T) {
	m, err := Parse(sound)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "sample" || m.What != "a sentence that goes on" || m.Hunter != Sim || len(m.Flags) != 2 || m.Expect != "I1" {
		t.Errorf("%+v", m)
	}
	if len(m.Edits) != 1 || m.Edits[0] != (Edit{File: "a/b.go", Old: "\tone\n\n\ttwo\n"}) {
		t.Errorf("%+v", m.Edits)
	}
}

func TestParse_RefusesWhatIsNoMutant(t *testing.T) {
	for what, text := range map[string]string{
		"an unknown key":    strings.Replace(sound, "flags", "flag", 1),
		"an unknown hunter": strings.Replace(sound, "sim\n", "fox\n", 1),
		"no end":            strings.Replace(sound, "end\n", "", 1),
		"no new":            strings.Replace(sound, "new:\n", "", 1),
		"no old":            strings.Replace(sound, "old:\n", "", 1),
		"no edit":           sound[:strings.Index(sound, "file:")],
		"no expectation":    strings.Replace(sound, "expect: I1\n", "", 1),
		"no change":         strings.Replace(sound, "new:\n", "new:\n\tone\n\n\ttwo\n", 1),
		"no key at all":     "something\n" + sound,
		"no package":        strings.Replace(strings.Replace(sound, "sim\n", "test\n", 1), "I1", "TestI1", 1),
		"no test":           strings.Replace(strings.Replace(sound, "sim\n", "test\n", 1), "--seeds 3", "./a", 1),
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestApply_ChangesNothingUnlessEveryTextOccursOnce(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.go")
	if err := os.WriteFile(file, []byte("one\ntwo\none\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, old := range []string{"one\n", "three\n"} {
		m := Mutant{Name: "m", Edits: []Edit{{"x.go", "two\n", "2\n"}, {"x.go", old, "1\n"}}}
		if err := m.Apply(dir); err == nil {
			t.Errorf("%q is replaced", old)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "one\ntwo\none\n" {
		t.Errorf("%q, %v", text, err)
	}
}
