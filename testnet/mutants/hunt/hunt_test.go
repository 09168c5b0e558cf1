package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tagma/testnet/mutants"
)

func TestHunt_CatchesAMutantAndNamesTheInvariant(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulator twice")
	}
	var out, trouble bytes.Buffer
	if code := outside(t.Context(), []string{"--source", "../../..", "--only", "prepared-one-short", "--json"}, &out, &trouble); code != 0 {
		t.Fatalf("exit code %d: %s%s", code, &out, &trouble)
	}
	var d struct{ Mutants []result }
	if err := json.Unmarshal(out.Bytes(), &d); err != nil || len(d.Mutants) != 1 {
		t.Fatalf("%v: %s", err, &out)
	}
	r := d.Mutants[0]
	if !r.Caught || r.By != "I11" || r.Unexpected || r.Runs == 0 || r.Seconds <= 0 || r.Finding == "" {
		t.Errorf("%+v", r)
	}
}

// A change that breaks nothing must be reported as a survivor. A hunt that always succeeds would prove nothing.
func TestHunt_WhatBreaksNothingSurvives(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the simulator twice")
	}
	harmless, err := mutants.Parse("harmless", "what: a comment\nhunter: sim\nflags: --seeds 2\nexpect: I1\n\n"+
		"--- a/pbft/normal.go\n+++ b/pbft/normal.go\n@@ -1,1 +1,1 @@\n"+
		"-// The normal case (§4.2): pre-prepare, prepare, commit.\n+// Nothing.\n")
	if err != nil {
		t.Fatal(err)
	}
	o := &order{source: "../../..", jobs: 1, limit: 5 * time.Minute}
	all, err := o.hunt(t.Context(), []mutants.Mutant{harmless}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r := all[0]; r.Caught || r.Trouble != "" || r.Runs != 2 {
		t.Errorf("%+v", r)
	}
}

func TestHunt_WhatItCannotDoIsOneLine(t *testing.T) {
	for _, args := range [][]string{{"--only", "nobody"}, {"--jobs", "0"}, {"--seed", "1"}} {
		var out, trouble bytes.Buffer
		if code := outside(t.Context(), args, &out, &trouble); code != exitUnusable || trouble.Len() == 0 {
			t.Errorf("%v: exit code %d, %q", args, code, &trouble)
		}
	}
}

func TestInside_NamesNoUnknownHunter(t *testing.T) {
	for _, args := range [][]string{nil, {"fox"}, {"sim", "--plan", "nowhere.json"}} {
		var out, trouble bytes.Buffer
		if code := inside(args, &out, &trouble); code != exitUnusable {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}

func TestTable_StandsBetweenItsMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "page.md")
	before := "above\n" + tableBegins + "\nold\n" + tableEnds + "\nbelow\n"
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	all := []*result{
		{Name: "one", What: "a break", Hunter: "sim", Caught: true, Seconds: 1.25, hunterResult: hunterResult{Plan: "far.json", By: "I1", Runs: 3}},
		{Name: "two", What: "another", Hunter: "explore", hunterResult: hunterResult{Runs: 1}},
	}
	if err := writeTable(file, all); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"above\n", "\nbelow\n", "| one | a break | sim, far | 3 seeds, 1.2 s | I1 |\n", "| two | another | explore | one search, 0.0 s | **not caught** |\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "old") {
		t.Error("the old table stands there")
	}
	if err := os.WriteFile(file, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeTable(file, all); err == nil {
		t.Error("a page without marks is written to")
	}
}
