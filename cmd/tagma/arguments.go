package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tagma/internal/nearest"
)

// takes makes a command insist on exactly these arguments.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		wants := "no arguments"
		if len(names) > 0 {
			wants = strings.Join(names, " and ")
		}
		return unusablef("%s takes %s, but %d were given; see `tagma help %s`", pathOf(cmd), wants, len(args), pathOf(cmd))
	}
}

// pathOf is a command's name with those of the commands above it, but for tagma itself.
func pathOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// badFlag adds to a flag's error what was probably meant.
func badFlag(cmd *cobra.Command, err error) error {
	at := ""
	if cmd.HasParent() {
		at = pathOf(cmd) + ": "
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return unusable{fmt.Errorf("%s%w", at, err)}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := nearest.To(unknown.GetSpecifiedName(), names); near != "" {
		return unusablef("%s%w; did you mean --%s?", at, err, near)
	}
	return unusablef("%s%w; see `tagma help %s`; put -- in front of arguments that begin with a dash", at, err, pathOf(cmd))
}

// unknownCommand makes a mistyped command's error one line with what was probably meant. Other errors it returns as they
// are.
func unknownCommand(root *cobra.Command, err error) error {
	var name string
	if err == nil || errors.As(err, new(unusable)) {
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
	if near := nearest.To(name, names); near != "" {
		return unusablef("there is no command %q; did you mean `tagma %s`?", name, near)
	}
	return unusablef("there is no command %q; `tagma help` lists the commands", name)
}
