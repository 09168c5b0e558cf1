// Package scenarios holds the scenario files, so that a program shows them wherever it is run.
package scenarios

import "embed"

// Files are the scenarios, with schedules in a folder of their own.
//
//go:embed *.toml schedules/*.toml
var Files embed.FS
