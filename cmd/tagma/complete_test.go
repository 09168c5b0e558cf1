package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"tagma/internal/command"
)

// offered returns what a shell is told to offer after a command line, and how it should offer it.
func offered(t *testing.T, line ...string) (words []string, how cobra.ShellCompDirective) {
	t.Helper()
	o := tagma(t, append([]string{"__complete"}, line...)...)
	all := strings.Split(strings.TrimSpace(o.stdout), "\n")
	last := all[len(all)-1]
	if o.code != command.Done || len(last) < 2 || last[0] != ':' {
		t.Fatalf("__complete %q: %v", line, o)
	}
	for _, digit := range last[1:] {
		how = 10*how + cobra.ShellCompDirective(digit-'0')
	}
	return all[:len(all)-1], how
}

func TestCompletion_OffersTheValuesThatThereAre(t *testing.T) {
	const none = cobra.ShellCompDirectiveNoFileComp
	for line, want := range map[string]struct {
		words string
		how   cobra.ShellCompDirective
	}{
		"put k v --semantics ":             {"exactly-once at-most-once at-least-once best-effort", none},
		"get k --semantics ":               {"exactly-once at-most-once at-least-once", none},
		"bank open a --semantics be":       {"best-effort", none},
		"init --machine ":                  {"kv bank", none},
		"init --durability o":              {"optimistic", none},
		"init --transport ":                {"tcp quic", none},
		"init --dir ":                      {"", cobra.ShellCompDirectiveFilterDirs},
		"init --replicas ":                 {"", none},
		"restore --new-keys --transport q": {"quic", none},
		"put k --cluster ":                 {"toml", cobra.ShellCompDirectiveFilterFileExt},
		"put k --key ":                     {"", cobra.ShellCompDirectiveDefault},
		"put ":                             {"", none},
		"get k --at ":                      {"", none},
		"verify ":                          {"", cobra.ShellCompDirectiveDefault},
		"txn ":                             {"", cobra.ShellCompDirectiveDefault},
		"help ban":                         {"bank\tOpen accounts and move money between them, on a cluster whose machine is the bank", none},
	} {
		words, how := offered(t, strings.Split(line, " ")...)
		var fit []string // a shell drops words that do not begin with the given text
		given := line[strings.LastIndexByte(line, ' ')+1:]
		for _, w := range words {
			if strings.HasPrefix(w, given) || how == cobra.ShellCompDirectiveFilterFileExt {
				fit = append(fit, w)
			}
		}
		if got := strings.Join(fit, " "); got != want.words || how != want.how {
			t.Errorf("%q: offers %q in the way %d, want %q in the way %d", line, got, how, want.words, want.how)
		}
	}
}

// Completion finds homes below the directory of a cluster. It recognises them by their settings file.
func TestCompletion_OffersHomes(t *testing.T) {
	dir := makeCluster(t)
	if err := os.Mkdir(filepath.Join(dir, "replica9"), 0o700); err != nil { // this directory is not a home
		t.Fatal(err)
	}
	for _, line := range [][]string{{"node", "--home"}, {"backup", "--home"}, {"evidence"}} {
		for _, given := range []string{dir, dir + "/", dir + "/rep"} {
			words, how := offered(t, append(line, given)...)
			if len(words) != 4 || words[0] != home(dir, 0) || words[3] != home(dir, 3) || how != cobra.ShellCompDirectiveNoFileComp {
				t.Errorf("%q %s: %q in the way %d", line, given, words, how)
			}
		}
	}
	if words, how := offered(t, "node", "--home", t.TempDir()+"/"); len(words) > 0 || how != cobra.ShellCompDirectiveFilterDirs {
		t.Errorf("where there is no home: %q in the way %d", words, how)
	}
}
