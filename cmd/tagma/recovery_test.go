package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/internal/node"
)

// D8.2: init marks a home as never started. A replica does not create a data directory that is missing.
func TestD8_2_InitMarksHomesAndNodeMakesNoDataDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	must(t, "init", "--dir", dir)
	for i := range 4 {
		path := filepath.Join(home(dir, i), node.LifeFile)
		text, err := os.ReadFile(path)
		if err != nil || string(text) != "unborn\n" {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	config := filepath.Join(home(dir, 0), node.ConfigFile)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("data = ''"), []byte("data = 'disk'"), 1)
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	o := tagma(t, "node", "--home", home(dir, 0))
	if o.code != command.Unusable || lines(o.stderr) != 1 || !strings.Contains(o.stderr, "mount its disk, or create it") {
		t.Error(o)
	}
}
