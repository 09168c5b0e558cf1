package tidy

import (
	"strings"
	"testing"
	"testing/fstest"
)

// of loads a tree of the given files, path → text.
func of(t *testing.T, files map[string]string) *tree {
	t.Helper()
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// wantComplaints fails unless there is exactly one complaint for each of want, which it must contain.
func wantComplaints(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d complaints, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
		return
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || strings.Contains(g, w)
		}
		if !found {
			t.Errorf("no complaint contains %q:\n%s", w, strings.Join(got, "\n"))
		}
	}
}
