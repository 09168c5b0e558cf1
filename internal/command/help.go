package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// newHelp is cobra's help command, but for commands that do not exist: those are errors here.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil {
				return unknownCommand(root, err)
			}
			if len(rest) > 0 {
				return noCommand(root, rest[0])
			}
			found.InitDefaultHelpFlag() // so that it is listed
			return found.Help()
		},
	}
}

// unknownCommand makes a mistyped command's error one line with what was probably meant. Other errors it returns as they
// are.
func unknownCommand(root *cobra.Command, err error) error {
	var name string
	if err == nil || IsUnusable(err) {
		return err
	}
	if _, other := fmt.Sscanf(err.Error(), "unknown command %q for", &name); other != nil {
		return err
	}
	return noCommand(root, name)
}

// noCommand is the error of a name that is no command.
func noCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return Unusablef("there is no command %q;%s `%s help` lists the commands", name, Meant(name, names, ""), root.Name())
}

// Version is the module's, or the commit it was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	if commit == "" {
		return info.Main.Version
	}
	return info.Main.Version + " (commit " + commit[:min(12, len(commit))] + changed + ")"
}

// AddVersion gives a program the command version, and the flag.
func AddVersion(root *cobra.Command) {
	root.Version = Version()
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	asJSON := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print what this program was built from",
		Example: "  " + root.Name() + " version --json",
		Args:    Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			built := struct {
				Program  string `json:"program"`
				Version  string `json:"version"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
			}{root.Name(), root.Version, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if asJSON {
				return PrintJSON(cmd.OutOrStdout(), built)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s, %s, %s\n", built.Program, built.Version, built.Go, built.Platform)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	root.AddCommand(cmd)
}
