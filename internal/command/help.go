package command

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// newHelp is cobra's help command, except that an unknown command is an error.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			at, _, err := root.Find(args)
			if err != nil {
				at = root
			}
			for _, c := range at.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, c.Name()+"\t"+c.Short)
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
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

// unknownCommand turns the error of a misspelt command into one line with a suggestion. It returns other errors unchanged.
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

// noCommand is the error for a name that is not a command.
func noCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return Unusablef("there is no command %q;%s `%s help` lists the commands", name, Meant(name, names, ""), root.Name())
}

// Version is the version of the module, with the commit from which it was built if that is known.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, changed := commitOf(info)
	if commit == "" {
		return info.Main.Version
	}
	more := ""
	if changed {
		more = ", changed"
	}
	return info.Main.Version + " (commit " + commit[:min(12, len(commit))] + more + ")"
}

// commitOf returns the commit from which a program was built, "" if that is not known, and whether files had been
// changed since that commit.
func commitOf(info *debug.BuildInfo) (commit string, changed bool) {
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = true
		}
	}
	return commit, changed
}

// built is what `version --json` prints. Commit and Changed are missing if the program was not built in a checkout.
type built struct {
	Program  string         `json:"program"`
	Version  string         `json:"version"`
	Commit   string         `json:"commit,omitempty"`
	Changed  bool           `json:"changed,omitempty"` // files had been changed since the commit
	Go       string         `json:"go"`
	Platform string         `json:"platform"`
	Formats  map[string]int `json:"formats,omitempty"` // versions of the formats that it writes and sends
}

func (b *built) print(w io.Writer) error {
	text := fmt.Sprintf("%s %s, %s, %s\n", b.Program, b.Version, b.Go, b.Platform)
	var formats []string
	for _, name := range slices.Sorted(maps.Keys(b.Formats)) {
		formats = append(formats, fmt.Sprintf("%s %d", strings.ReplaceAll(name, "_", " "), b.Formats[name]))
	}
	if len(formats) > 0 {
		text += "formats: " + strings.Join(formats, ", ") + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// AddVersion adds the command version, and the flag, to a program. Formats are the versions of the formats that it
// writes and sends.
func AddVersion(root *cobra.Command, formats map[string]int) {
	root.Version = Version()
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	asJSON := false
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print what this program was built from",
		Example: "  " + root.Name() + " version --json",
		Args:    Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			b := &built{
				Program: root.Name(), Version: root.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Formats: formats,
			}
			if info, ok := debug.ReadBuildInfo(); ok {
				b.Commit, b.Changed = commitOf(info)
			}
			return Print(cmd, asJSON, b, b.print)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	root.AddCommand(cmd)
}
