package main

import "github.com/spf13/cobra"

// newHelp is cobra's help command, but for commands that do not exist: those are errors here.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Explain a command",
		Example: `  tagma help put`,
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
