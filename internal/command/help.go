package command

import (
	"fmt"

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
