package main

import (
	"slices"
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/byzantine"
)

// offered returns what completion offers to a shell after a command line. Its last item says how the shell should
// offer it.
func offered(t *testing.T, line ...string) []string {
	t.Helper()
	code, stdout, stderr := run(append([]string{"__complete"}, line...)...)
	if code != command.Done {
		t.Fatalf("__complete %q: exit code %d, %s", line, code, stderr)
	}
	return strings.Split(strings.TrimSpace(stdout), "\n")
}

func TestCompletion_OffersTheValuesThatThereAre(t *testing.T) {
	const words, more, files = ":4", ":6", ":8" // the words only; words that more may follow; file names with an ending
	for line, want := range map[string]string{
		"run --engine ":                         "processes sim " + words,
		"run ":                                  "toml " + files,
		"start --machine ":                      "kv bank " + words,
		"start --malicious ":                    "0= 1= 2= 3= " + more,
		"start --replicas 5 --malicious ":       "0= 1= 2= 3= 4= " + more,
		"start --malicious 3=silent,":           "3=silent,types= 3=silent,to= 3=silent,probability= 3=silent,seed= 3=silent,from_seq= " + more,
		"start --malicious 3=equivocate,phase=": "3=equivocate,phase=pre-prepare 3=equivocate,phase=prepare 3=equivocate,phase=commit " + more,
		"flood --attack ":                       "client= replica= outsider= " + more,
		"flood --attack outsider=":              "outsider=exhaust outsider=malformed " + more,
		"comeback --load ":                      "half off " + words,
		"demo --keep --seed ":                   words,
		"sim --out ":                            ":16",
		"sim --plan ":                           ":0",
		"replay --only view,phase,vi":           "",
		"run x.toml --trace t --only phase,":    "",
		"comeback --only killed,":               "",
	} {
		got := offered(t, strings.Split(line, " ")...)
		switch {
		case strings.Contains(line, "--only"):
			given := line[strings.LastIndexByte(line, ' ')+1:]
			before := given[:strings.LastIndexByte(given, ',')+1]
			for _, w := range got[:len(got)-1] {
				if rest, is := strings.CutPrefix(w, before); !is || slices.Contains(strings.Split(before, ","), rest) {
					t.Errorf("%q: offers %q", line, w)
				}
			}
			if len(got) < 4 || got[len(got)-1] != more {
				t.Errorf("%q: offers only %q", line, got)
			}
		case strings.Join(got, " ") != want:
			t.Errorf("%q: offers %q, want %q", line, got, want)
		}
	}
}

// Completion offers every behaviour of replicas, and `start` accepts every one that is offered.
func TestCompletion_OffersTheBehavioursOfReplicas(t *testing.T) {
	got := offered(t, "start", "--malicious", "3=")
	for _, b := range byzantine.Catalogue() {
		if !slices.Contains(got, "3="+b.Name) {
			t.Errorf("%s is not offered", b.Name)
		}
	}
	for _, text := range got[:len(got)-1] {
		if _, err := byzantine.ParseReplicas([]string{text}, 4); err != nil {
			t.Errorf("%s is offered: %v", text, err)
		}
	}
}
