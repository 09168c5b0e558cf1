package mutants

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tagma/testnet/sim"
)

// TestList_EveryMutantFitsTheCode applies each mutant to the source. A mutant that does not fit any more has to be
// adapted.
func TestList_EveryMutantFitsTheCode(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 102 {
		t.Fatalf("there are only %d mutants", len(list))
	}
	for _, m := range list {
		dir := t.TempDir()
		file, err := m.Overlay("../..", dir, map[string]string{"a.go": "b.go"})
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var overlay struct{ Replace map[string]string }
		if err := json.Unmarshal(text, &overlay); err != nil || len(overlay.Replace) != len(m.Files)+1 {
			t.Fatalf("%s: %v", text, err)
		}
		for file, by := range overlay.Replace {
			if by == "b.go" {
				continue
			}
			if before, after := read(t, file), read(t, by); before == after {
				t.Errorf("mutant %s changes nothing in %s", m.Name, file)
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestList_EveryTestThatHuntsIsThere checks that the tests with which mutants are hunted exist.
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
			found = found || strings.Contains(string(text), "func "+m.Expect[0]+"(t *testing.T)")
		}
		if !found {
			t.Errorf("mutant %s: there is no %s in %s", m.Name, m.Expect[0], m.Flags[0])
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
what: a sentence
  that goes on
hunter: sim
flags: --seeds 3
expect: I1, refused to start

--- a/a/b.go
+++ b/a/b.go
@@ -2,3 +2,2 @@
 two
-three
 four
`

func TestParse_ReadsAMutant(t *testing.T) {
	m, err := Parse("sample", sound)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "sample" || m.What != "a sentence that goes on" || m.Hunter != Sim || len(m.Flags) != 2 || !slices.Equal(m.Expect, []string{"I1", "refused to start"}) {
		t.Errorf("%+v", m)
	}
	if len(m.Files) != 1 || fileName(m.Files[0]) != filepath.Join("a", "b.go") {
		t.Errorf("%+v", m.Files)
	}
}

func TestParse_RefusesWhatIsNoMutant(t *testing.T) {
	for what, text := range map[string]string{
		"an unknown key":    strings.Replace(sound, "flags", "flag", 1),
		"an unknown hunter": strings.Replace(sound, "sim\n", "fox\n", 1),
		"a hunk cut short":  strings.Replace(sound, " four\n", "", 1),
		"no diff":           sound[:strings.Index(sound, "---")],
		"no expectation":    strings.Replace(sound, "expect: I1, refused to start\n", "", 1),
		"an empty rule":     strings.Replace(sound, "I1, ", "I1,, ", 1),
		"no change":         strings.Replace(sound, "-three", " three", 1),
		"no key at all":     "something\n" + sound,
		"no package":        strings.Replace(strings.Replace(sound, "sim\n", "test\n", 1), "I1, refused to start", "TestI1", 1),
		"no test":           strings.Replace(strings.Replace(sound, "sim\n", "test\n", 1), "--seeds 3", "./a", 1),
	} {
		if _, err := Parse("sample", text); err == nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

// A hunk is found wherever its lines are now. It fits only if they occur exactly once. The error says what to do.
func TestOverlay_AHunkFitsInOnePlaceOrNot(t *testing.T) {
	m, err := Parse("sample", sound)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"one\ntwo\nthree\nfour\n":              "one\ntwo\nfour\n",
		"\n\n\none\ntwo\nthree\nfour\nfive\n":  "\n\n\none\ntwo\nfour\nfive\n",
		"two\nthree\nfour\n":                   "two\nfour\n",
		"and two\nthree\nfour\n":               "",
		"two\nthree\n3\nfour\n":                "",
		"two\nthree\nfour\ntwo\nthree\nfour\n": "",
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "a"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "a", "b.go"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		_, err := m.Overlay(root, dir, nil)
		if want == "" {
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "adapt the mutant to the code") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil || read(t, filepath.Join(dir, "sample.0.go")) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
