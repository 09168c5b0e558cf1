package command

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// program is one with a command that takes a name and one that takes nothing.
func program(fails error) *cobra.Command {
	root := &cobra.Command{Use: "prog", Short: "A program"}
	Prepare(root)
	run := func(*cobra.Command, []string) error { return fails }
	greet := &cobra.Command{Use: "greet NAME", Short: "Greet somebody", Args: Takes("NAME"), RunE: run}
	greet.Flags().Uint64("times", 1, "how often")
	greet.Flags().Duration("wait", time.Second, "how long")
	part := &cobra.Command{Use: "part", Short: "Part", Args: Takes(), RunE: run}
	greet.AddCommand(&cobra.Command{Use: "all", Short: "Greet all", Args: Takes(), RunE: run})
	root.AddCommand(greet, part)
	return root
}

func run(root *cobra.Command, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = Execute(context.Background(), root, args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestExecute_UnusableArgumentsAreOneLineWithTheMend(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no command":         {nil, "no command given; `prog help` lists the commands"},
		"mistyped command":   {[]string{"grete"}, `there is no command "grete"; did you mean greet?`},
		"no command at all":  {[]string{"xyzzy"}, "there is no command \"xyzzy\"; `prog help` lists"},
		"help for nothing":   {[]string{"help", "xyzzy"}, `there is no command "xyzzy"`},
		"help for a typo":    {[]string{"help", "prat"}, "did you mean part?"},
		"too much":           {[]string{"part", "now"}, "part takes no arguments, but \"now\" was given; see `prog help part`"},
		"too little":         {[]string{"greet"}, "greet takes NAME, but 0 were given; see `prog help greet`"},
		"below a command":    {[]string{"greet", "all", "of", "them"}, "`prog help greet all`"},
		"mistyped flag":      {[]string{"greet", "--tims", "3"}, "greet: unknown flag: --tims; did you mean --times?"},
		"unknown flag":       {[]string{"part", "--xyzzy"}, "unknown flag: --xyzzy; see `prog help part`"},
		"flag or argument":   {[]string{"greet", "-5"}, "put -- in front of arguments that begin with a dash"},
		"flag of nobody":     {[]string{"--xyzzy"}, "see `prog help`"},
		"bad number":         {[]string{"greet", "x", "--times", "-1"}, `--times "-1" is no good: give a whole number from 0`},
		"bad time":           {[]string{"greet", "x", "--wait", "soon"}, `--wait "soon" is no good: give a time, such as 10s`},
		"flag without value": {[]string{"greet", "x", "--times"}, "--times has no value: give a whole number from 0"},
	} {
		code, stdout, stderr := run(program(nil), c.args...)
		if code != Unusable || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "prog: ") {
			t.Errorf("%s: exit code %d, output %q, errors %q", name, code, stdout, stderr)
		}
		if !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %q does not say %q", name, stderr, c.want)
		}
	}
}

func TestExecute_ExitCodeAndOutputFollowTheError(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		code   int
		stderr string
	}{
		"done":          {nil, Done, ""},
		"failed":        {errors.Join(errors.New("one"), errors.New("two")), Failed, "prog: one; two\n"},
		"told":          {ErrTold, Failed, ""},
		"unusable":      {NotUsable(errors.New("a file")), Unusable, "prog: a file\n"},
		"unusable deep": {errors.Join(Unusablef("a %s", "key")), Unusable, "prog: a key\n"},
	} {
		if code, _, stderr := run(program(c.err), "part"); code != c.code || stderr != c.stderr {
			t.Errorf("%s: exit code %d, errors %q", name, code, stderr)
		}
	}
}

func TestHelp_ExplainsACommandWithItsFlags(t *testing.T) {
	code, stdout, stderr := run(program(nil), "help", "greet")
	if code != Done || stderr != "" || !strings.Contains(stdout, "--times") || !strings.Contains(stdout, "--help") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

func TestPrintJSON_IsIndentedAndLeavesTextAsItIs(t *testing.T) {
	var out strings.Builder
	if err := PrintJSON(&out, map[string]string{"a": "<b>"}); err != nil || out.String() != "{\n  \"a\": \"<b>\"\n}\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
