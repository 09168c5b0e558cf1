package main

import (
	"os"
	"strings"
	"testing"
)

func TestRead_FindsCommandsWithWhatTheyPrint(t *testing.T) {
	page := "text\n```console\n$ one\na\nb\n$ two \\\n  more\nc\n```\n```\n$ not this\n```\n"
	steps, err := read(page)
	if err != nil || len(steps) != 2 {
		t.Fatalf("%v, %v", steps, err)
	}
	if s := steps[0]; s.command != "one" || strings.Join(s.prints, ",") != "a,b" || s.line != 3 {
		t.Errorf("%+v", s)
	}
	if s := steps[1]; s.command != "two \\\n  more" || strings.Join(s.prints, ",") != "c" {
		t.Errorf("%+v", s)
	}
	steps, err = read("```console\n$ cd x\n```\n```go a.go\npackage a\n\n$ x\n```\n```go\nnot this\n```\n")
	if err != nil || len(steps) != 2 || steps[1].command != "cat > 'a.go' <<'"+fileEnd+"'\npackage a\n\n$ x\n"+fileEnd || steps[1].prints != nil {
		t.Errorf("a file: %+v, %v", steps, err)
	}
	for _, bad := range []string{"no block", "```console\nprinted\n```"} {
		if _, err := read(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestMatches_TakesWhatDiffersFromRunToRunAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		want, got string
		matches   bool
	}{
		{"OK rev 1", "OK rev 1", true},
		{"OK rev 1", "OK rev 2", false},
		{"OK rev …", "OK rev 2", true},
		{"a  b", "a    b", true},
		{"ab", "a b", false},
		{"first\n…\nlast", "first\nlast", true},
		{"first\n…\nlast", "first\nx\ny\nlast", true},
		{"first\n…\nlast", "first\nx\ny", false},
		{"first", "first\nmore", false},
		{"a.c", "abc", false},
	} {
		if got := matches(strings.Split(c.want, "\n"), strings.Split(c.got, "\n")); got != c.matches {
			t.Errorf("%q for %q: %t", c.got, c.want, got)
		}
	}
}

// The application that docs/build-an-application.md describes is the example that `make nested` tests.
func TestPages_TheApplicationOfThePageIsTheExample(t *testing.T) {
	page, err := os.ReadFile("../../docs/build-an-application.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"counter.go", "counter_test.go", "add/main.go"} {
		code, err := os.ReadFile("../../examples/counter/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "\n```go "+name+"\n"+string(code)+"```\n") {
			t.Errorf("the page shows another %s than examples/counter has", name)
		}
	}
}
