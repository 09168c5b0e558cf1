package main

import (
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
