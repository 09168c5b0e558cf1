package command

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadInput_ReadsAFileOrStandardInputAndNoMoreThanItMay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(path, []byte("of the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{path: {"of the f", path}, "-": {"of stdin", "standard input"}} {
		data, from, err := ReadInput("the value", name, strings.NewReader("of stdin, and more"), 7)
		if err != nil || string(data) != want[0] || from != want[1] {
			t.Errorf("%s: %q from %s, %v", name, data, from, err)
		}
	}
	_, _, err := ReadInput("the value", path+".none", nil, 7)
	if !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "read the value: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, _, err := ReadInput("the value", filepath.Dir(path), nil, 7); err == nil || !strings.Contains(err.Error(), "read the value from ") {
		t.Errorf("a directory: %v", err)
	}
}
