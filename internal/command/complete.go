package command

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Complete says what a shell offers as the value of a flag. Flags that nothing is said of are completed by the name of their
// value: a `file`, a `directory` or `folder`, and nothing else.
func Complete(cmd *cobra.Command, flag string, values cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(err) // there is no such flag
	}
}

// Words offers these words.
func Words(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// List offers these words for each of several with commas between them, but not twice.
func List(words ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]string, cobra.ShellCompDirective) {
		before := given[:strings.LastIndexByte(given, ',')+1]
		var offers []string
		for _, w := range words {
			if !slices.Contains(strings.Split(before, ","), w) {
				offers = append(offers, before+w)
			}
		}
		return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// Choices offers what a function says may follow what was given: words that more is written behind, such as behaviours with
// their parameters.
func Choices(suggest func(given string) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]string, cobra.ShellCompDirective) {
		return suggest(given), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// Files offers files that end like this, without the dot; any if none is given.
func Files(endings ...string) cobra.CompletionFunc {
	if len(endings) == 0 {
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

// DirectoriesWith offers the directories that hold a file of this name, and those below what was given.
func DirectoriesWith(file string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]string, cobra.ShellCompDirective) {
		found := map[string]bool{}
		for _, below := range []string{"*", "*/*"} {
			for _, path := range glob(given+below, file) {
				found[path] = true
			}
		}
		if len(found) == 0 { // a directory that leads on
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		return slices.Sorted(maps.Keys(found)), cobra.ShellCompDirectiveNoFileComp
	}
}

// glob lists the directories of a pattern that hold a file. A pattern that is none has none.
func glob(pattern, file string) (dirs []string) {
	files, _ := filepath.Glob(filepath.Join(pattern, file))
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f))
	}
	return dirs
}

// complete has every flag and argument completed that nothing was said of.
func complete(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		complete(c)
	}
	if words := strings.Fields(cmd.Use); cmd.ValidArgsFunction == nil && (len(words) < 2 || !strings.Contains(words[1], "FILE")) {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, said := cmd.GetFlagCompletionFunc(f.Name); !said {
			Complete(cmd, f.Name, byName(f))
		}
	})
}

// byName completes a flag by the name of its value.
func byName(f *pflag.Flag) cobra.CompletionFunc {
	switch name, _ := pflag.UnquoteUsage(f); strings.ToLower(name) {
	case "file":
		return Files()
	case "directory", "folder":
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	}
	return cobra.NoFileCompletions
}
