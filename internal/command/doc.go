// Package command is what the programs in cmd share: exit codes, errors in one line that say what to do, suggestions
// for misspelt flags and commands, and JSON on standard output.
//
// It knows no particular command. It reads only the input that a command line names, and decides nothing about what a
// command does.
package command
