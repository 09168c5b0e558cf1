package tidy

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the import graph into "+graphDoc)

func TestImportTable_ShowsTheGraph(t *testing.T) {
	if *update {
		path := "../../" + graphDoc
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		updated, err := withImportTable(string(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown, err := withImportTable("before\n" + graphBegin + "| an | old one |\n" + graphEnd + "after\n")
	if err != nil {
		t.Fatal(err)
	}
	wantComplaints(t, importTable(of(t, map[string]string{graphDoc: shown})))
}

func TestImportTable_ComplainsOfAnotherGraph(t *testing.T) {
	wantComplaints(t, importTable(of(t, nil)), "read the import graph")
	wantComplaints(t, importTable(of(t, map[string]string{graphDoc: "no table"})), "has no place")
	wantComplaints(t, importTable(of(t, map[string]string{graphDoc: graphBegin + "| `pbft` | `network` |\n" + graphEnd})),
		"run `make graph`")
}
