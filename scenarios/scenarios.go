// Package scenarios contains the scenario files, so that a program has them wherever it runs.
package scenarios

import "embed"

// Files are the scenarios, and the folder with the schedules.
//
//go:embed *.toml schedules/*.toml groups/*.toml
var Files embed.FS
