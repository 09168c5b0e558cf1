package main

import (
	"strings"
	"testing"

	"tagma/internal/command"
	"tagma/testnet/comeback"
)

func TestComeback_HelpNamesEveryCase(t *testing.T) {
	code, stdout, _ := run("comeback", "--help")
	if code != command.Done {
		t.Fatalf("exit code %d", code)
	}
	for name, about := range comeback.Cases() {
		if !strings.Contains(stdout, "  "+name+" ") || !strings.Contains(stdout, about) {
			t.Errorf("the help does not tell of %s", name)
		}
	}
}

func TestComeback_BadInputIsOneLineWithTheMend(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown case":  {[]string{"--only", "wiped,wipd"}, "the cases are wiped, "},
		"too few keys":  {[]string{"--keys", "1"}, "give 1000 to"},
		"unknown load":  {[]string{"--load", "full"}, "write half or off"},
		"tiny values":   {[]string{"--value-bytes", "1"}, "give 8 to"},
		"no time":       {[]string{"--within", "0s"}, "positive time"},
		"negative rate": {[]string{"--link-bytes", "-1"}, "bytes a second"},
	} {
		code, stdout, stderr := run(append([]string{"comeback"}, c.args...)...)
		if code != command.Unusable || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, %q, %q; want one line with %q", name, code, stdout, stderr, c.want)
		}
	}
}
