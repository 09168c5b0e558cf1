package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"
)

// program is a program with two commands, one that takes a name and one that takes no argument.
func program(fails error) *cobra.Command {
	root := &cobra.Command{Use: "prog", Short: "A program"}
	Prepare(root)
	AddVersion(root, map[string]int{"pages": 3, "books": 2})
	run := func(*cobra.Command, []string) error { return fails }
	greet := &cobra.Command{Use: "greet NAME", Short: "Greet somebody", Args: Takes("NAME"), RunE: run}
	greet.Flags().Uint64("times", 1, "how often")
	greet.Flags().Duration("wait", time.Second, "how long")
	greet.Flags().String("tone", "kind", "how")
	greet.Flags().StringSlice("with", nil, "what else to say")
	greet.Flags().StringArray("to", nil, "whom else to greet")
	part := &cobra.Command{Use: "part", Short: "Part", Args: Takes(), RunE: run}
	greet.AddCommand(&cobra.Command{Use: "all", Short: "Greet all", Args: Takes(), RunE: run})
	root.AddCommand(greet, part)
	return root
}

func run(root *cobra.Command, args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = Execute(context.Background(), root, args, &out, &errs, nil)
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
		"empty text":         {[]string{"greet", "x", "--tone", ""}, "greet: --tone is empty; give it a value, or leave it out"},
		"empty list":         {[]string{"greet", "x", "--with="}, "greet: --with is empty; give"},
		"empty item":         {[]string{"greet", "x", "--to", ""}, "greet: --to is empty; give"},
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

// Errors of Go and of the system are replaced by our own words, which say what to do. Long input of the user is
// shortened.
func TestExecute_ErrorsEndInOurWordsAndAreShort(t *testing.T) {
	_, missing := os.Open("/nonexistent/file")
	_, under := os.Open("/dev/null/file")
	_, directory := os.ReadFile("/")
	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	long := strings.Repeat("k", 2000)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a file that is missing":  {missing, "prog: open /nonexistent/file: there is no such file; check the path\n"},
		"a file below a file":     {under, "prog: open /dev/null/file: a part of this path is no directory; check the path\n"},
		"a directory":             {directory, "prog: read /: it is a directory; name a file\n"},
		"no more time":            {fmt.Errorf("ask: %w", ctx.Err()), "prog: ask: time ran out; give it more, or see what is slow\n"},
		"no more time, and more":  {fmt.Errorf("%w; look at status", ctx.Err()), "prog: time ran out; look at status\n"},
		"a signal":                {errors.New("the run was interrupted: interrupt signal received"), "prog: the run was interrupted by a signal\n"},
		"a long key":              {fmt.Errorf("get %s: gone", Quote(long)), "prog: get \"" + long[:60] + "\"… (2000 bytes): gone\n"},
		"a long key, quoted":      {fmt.Errorf("get %q: gone", strings.Repeat("k ", 1000)), "prog: get \"" + strings.Repeat("k ", 29) + "k\"… (2002 bytes): gone\n"},
		"a long word":             {errors.New("no command " + long), "prog: no command " + long[:60] + "… (2000 bytes)\n"},
		"what our words say ends": {errors.New("give a file that does not exist"), "prog: give a file that does not exist\n"},
	} {
		if _, _, stderr := run(program(c.err), "part"); stderr != c.want {
			t.Errorf("%s: %q, want %q", name, stderr, c.want)
		}
	}
}

// A program that failed ends even if nobody reads its last line.
func TestExecute_EndsThoughNobodyReadsItsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, stderr := io.Pipe()
		if code := Execute(t.Context(), program(errors.New("it broke")), []string{"part"}, io.Discard, stderr, nil); code != Failed {
			t.Errorf("exit code %d", code)
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestVersion_SaysWhatTheProgramIsBuiltFrom(t *testing.T) {
	code, stdout, _ := run(program(nil), "version")
	if code != 0 || !strings.HasPrefix(stdout, "prog "+Version()+", go") || !strings.HasSuffix(stdout, "\nformats: books 2, pages 3\n") {
		t.Errorf("%d: %q", code, stdout)
	}
	code, stdout, _ = run(program(nil), "version", "--json")
	if code != 0 || !strings.Contains(stdout, `"program": "prog"`) || !strings.Contains(stdout, `"go": "go`) || !strings.Contains(stdout, `"books": 2`) {
		t.Errorf("%d: %q", code, stdout)
	}
	if code, stdout, _ = run(program(nil), "--version"); code != 0 || stdout != "prog "+Version()+"\n" {
		t.Errorf("%d: %q", code, stdout)
	}
}
