package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tagma/internal/nearest"
)

// Takes makes a command require exactly these arguments.
func Takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == len(names):
			return nil
		case len(names) == 0:
			return Unusablef("%s takes no arguments, but %q was given; see `%s`", pathOf(cmd), args[0], helpFor(cmd))
		}
		were := "were"
		if len(args) == 1 {
			were = "was"
		}
		return Unusablef("%s takes %s, but %d %s given; see `%s`", pathOf(cmd), strings.Join(names, " and "), len(args), were, helpFor(cmd))
	}
}

// Meant returns a question such as " did you mean --seed?", which begins with a space. The name is one of meant, with
// the prefix (here "--"), and is the one of which given most likely is a misspelling. The text is empty if no name is
// similar.
func Meant(given string, names []string, prefix string) string {
	if near := nearest.To(given, names); near != "" {
		return " did you mean " + prefix + near + "?"
	}
	return ""
}

// notEmpty makes a flag refuse an empty text. Usually a text is empty because a shell variable is not set. Without
// this check, the command would use the default and not say so.
func notEmpty(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		empty := flag.Value.Type() == "string" && flag.Value.String() == ""
		if list, is := flag.Value.(pflag.SliceValue); is {
			empty = strings.Join(list.GetSlice(), "") == ""
		}
		if empty && err == nil {
			err = Unusablef("%s: --%s is empty; give it a value, or leave it out", pathOf(cmd), flag.Name)
		}
	})
	return err
}

// pathOf returns a command's name, preceded by the names of its parent commands without the program's.
func pathOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
}

// helpFor is the command line that explains a command.
func helpFor(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return cmd.Name() + " help"
	}
	return cmd.Root().Name() + " help " + pathOf(cmd)
}

// badFlag turns a flag's error into one line that says what to do.
func badFlag(cmd *cobra.Command, err error) error {
	at := ""
	if cmd.HasParent() {
		at = pathOf(cmd) + ": "
	}
	var unknown *pflag.NotExistError
	var bad *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, at, err, unknown.GetSpecifiedName())
	case errors.As(err, &bad):
		flag := bad.GetFlag()
		if wants := wanted(flag); wants != "" {
			return Unusablef("%s--%s %q is no good: give %s", at, flag.Name, bad.GetValue(), wants)
		}
		return Unusablef("%s--%s %q: %w", at, flag.Name, bad.GetValue(), bad.Unwrap())
	case errors.As(err, &missing):
		flag := missing.GetFlag()
		if wants := wanted(flag); wants != "" {
			return Unusablef("%s--%s has no value: give %s", at, flag.Name, wants)
		}
		return Unusablef("%s--%s has no value; see `%s`", at, flag.Name, helpFor(cmd))
	}
	return unusable{fmt.Errorf("%s%w", at, err)}
}

func unknownFlag(cmd *cobra.Command, at string, err error, name string) error {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := Meant(name, names, "--"); near != "" {
		return Unusablef("%s%w;%s", at, err, near)
	}
	dash := ""
	if strings.Contains(cmd.Use, " ") { // the command takes arguments
		dash = "; put -- in front of arguments that begin with a dash"
	}
	return Unusablef("%s%w; see `%s`%s", at, err, helpFor(cmd), dash)
}

// wanted says what a flag's value must be. It returns "" if the flag's type does not determine that.
func wanted(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "uint", "uint64":
		return "a whole number from 0"
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a time, such as 10s or 200ms"
	}
	return ""
}

// Input is what a command line names as input: a file, or standard input.
type Input struct {
	io.Reader
	Name string // its name in errors

	file *os.File // nil: standard input
}

// OpenInput opens a file, or standard input for "-". The caller must close it.
func OpenInput(name string, stdin io.Reader) (*Input, error) {
	if name == "-" {
		return &Input{Reader: stdin, Name: "standard input"}, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return &Input{Reader: file, Name: name, file: file}, nil
}

// Close closes the file. Since the file was only read, there can be no error that matters.
func (in *Input) Close() {
	if in.file != nil {
		_ = in.file.Close()
	}
}

// ReadInput reads the input that a command line names, and at most one byte more than most, so that the caller sees
// that an input is too long. In errors, the input is called what. The result from is the name of the file that was
// read.
func ReadInput(what, name string, stdin io.Reader, most int64) (data []byte, from string, err error) {
	in, err := OpenInput(name, stdin)
	if err != nil {
		return nil, name, fmt.Errorf("read %s: %w", what, err)
	}
	defer in.Close()
	if data, err = io.ReadAll(io.LimitReader(in, most+1)); err != nil {
		return nil, in.Name, fmt.Errorf("read %s from %s: %w", what, in.Name, err)
	}
	return data, in.Name, nil
}
