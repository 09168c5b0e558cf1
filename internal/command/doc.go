// Package command is what the programs of cmd have in common: exit codes, errors in one line with the mend, flags and
// names of commands that were mistyped, JSON on standard output.
//
// It knows no command, reads what a command line names and nothing else, and decides nothing about what a command does.
package command
