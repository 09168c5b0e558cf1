package pbft

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// Every file that the tables of doc.go name must exist.
func TestDoc_TheFilesItNamesExist(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`[a-z0-9_*/]+\.go`).FindAllString(string(doc), -1)
	if len(names) < 20 {
		t.Fatalf("doc.go names only %d files", len(names))
	}
	for _, name := range names {
		if found, _ := filepath.Glob(name); len(found) == 0 {
			t.Errorf("doc.go names %s, which does not exist", name)
		}
	}
}
