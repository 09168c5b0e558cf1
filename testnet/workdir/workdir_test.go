package workdir

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tagma/internal/command"
)

// leave is work that leaves a file and ends with an error, or nil.
func leave(err error) func(dir string) error {
	return func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "journal"), nil, 0o600), err)
	}
}

func TestDo_KeepsFilesOnlyWhereTheyAreWanted(t *testing.T) {
	for name, c := range map[string]struct {
		keep bool
		do   func(string) error
		kept bool
	}{
		"it went well":            {false, leave(nil), false},
		"it went well, to keep":   {true, leave(nil), true},
		"it failed":               {false, leave(command.ErrTold), true},
		"it could not be done":    {false, leave(errors.New("no room")), false},
		"it failed without files": {false, func(string) error { return command.ErrTold }, false},
	} {
		var shown strings.Builder
		dir := filepath.Join(t.TempDir(), "work")
		err := Do("test", dir, c.keep, &shown, c.do)
		_, gone := os.Stat(dir)
		if kept := gone == nil; kept != c.kept || strings.Contains(shown.String(), dir) != c.kept {
			t.Errorf("%s: kept %v, told %q, %v", name, kept, shown.String(), err)
		}
	}
}

// A directory of the user is emptied again and remains. A directory that is not empty at first is not changed.
func TestDo_LeavesWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	if err := Do("test", dir, false, io.Discard, leave(nil)); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	if err := leave(nil)(dir); err != nil {
		t.Fatal(err)
	}
	err := Do("test", dir, false, io.Discard, func(string) error { t.Error("it began"); return nil })
	if !command.IsUnusable(err) || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "journal")); err != nil {
		t.Error(err)
	}
}
