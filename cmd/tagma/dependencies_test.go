package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestDependencies_NoAttackerIsLinked(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".", "tagma/node").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, out)
	}
	ours := 0
	for _, pkg := range strings.Fields(string(out)) {
		if strings.HasPrefix(pkg, "tagma/") {
			ours++
		}
		if strings.HasPrefix(pkg, "tagma/testnet") || strings.HasPrefix(pkg, "tagma/tagmatest") {
			t.Errorf("what ships links %s", pkg)
		}
	}
	if ours < 8 {
		t.Errorf("go list names %d packages of the module: it cannot have looked at the binaries", ours)
	}
}
