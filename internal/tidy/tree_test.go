package tidy

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestLoad_SkipsWhatIsNotOfTheModule(t *testing.T) {
	tree := of(t, map[string]string{
		"a/a.go":             "package a",
		"a/testdata/b.go":    "package b",
		"tools/go.mod":       "module tagma/tools",
		"tools/c.go":         "package c",
		".hidden/d.go":       "package d",
		"a/notes.txt":        "no Go",
		"testnet/sim/sim.go": "package sim",
	})
	if got := tree.packages(); !slices.Equal(got, []string{"a", "testnet/sim"}) {
		t.Errorf("packages %v", got)
	}
}

func TestLoad_AFileThatDoesNotParseIsAnError(t *testing.T) {
	if _, err := load(fstest.MapFS{"a/a.go": {Data: []byte("no Go")}}); err == nil {
		t.Error("it was loaded")
	}
}
