package main

import (
	"flag"
	"testing"

	"tagma/internal/manual"
)

var manTo = flag.String("man", "", "write the manual pages to this directory")

// Every command has a page with its description and all its flags. `make man` keeps the pages.
func TestMan_EveryCommandHasAPageWithItsFlags(t *testing.T) {
	dir := *manTo
	if dir == "" {
		dir = t.TempDir()
	}
	if err := manual.Write(newRoot(), dir); err != nil {
		t.Fatal(err)
	}
	for _, lack := range manual.Missing(newRoot(), dir) {
		t.Error(lack)
	}
}
