package command

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Complete sets what a shell offers as the value of a flag. Flags without this are completed by the name of their
// value: a `file`, a `directory` or a `folder`.
func Complete(cmd *cobra.Command, flag string, values cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, values); err != nil {
		panic(err) // there is no such flag
	}
}

// Words offers these words.
func Words(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// List offers these words for each element of a list with commas, without offering a word twice.
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

// Choices offers what a function says may follow the given text: words after which more can be written, such as
// behaviours with parameters.
func Choices(suggest func(given string) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]string, cobra.ShellCompDirective) {
		return suggest(given), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// Files offers files with these extensions, given without the dot, or any file if none is given.
func Files(endings ...string) cobra.CompletionFunc {
	if len(endings) == 0 {
		return cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault)
	}
	return cobra.FixedCompletions(endings, cobra.ShellCompDirectiveFilterFileExt)
}

// DirectoriesWith offers the directories that hold a file of this name, one or two levels below the given text.
func DirectoriesWith(file string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, given string) ([]string, cobra.ShellCompDirective) {
		found := map[string]bool{}
		for _, below := range []string{"*", "*/*"} {
			for _, path := range glob(given+below, file) {
				found[path] = true
			}
		}
		if len(found) == 0 { // offer any directory, because one of its subdirectories may hold the file
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		return slices.Sorted(maps.Keys(found)), cobra.ShellCompDirectiveNoFileComp
	}
}

// glob lists the directories that match a pattern and hold a file. An invalid pattern matches none.
func glob(pattern, file string) (dirs []string) {
	files, _ := filepath.Glob(filepath.Join(pattern, file))
	for _, f := range files {
		dirs = append(dirs, filepath.Dir(f))
	}
	return dirs
}

// complete sets a completion for every flag and argument that has none.
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
