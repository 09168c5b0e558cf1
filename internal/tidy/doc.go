// Package tidy holds the project's own style rules as ordinary tests: who may import whom, what the protocol core may
// use, and what every file must look like. `go test ./internal/tidy` needs nothing but Go.
//
// A rule is a function from the source tree to complaints, one line each, with the file and the mend. Every rule has a
// test on a bad snippet that proves it can fail. The package reads the tree only; nothing imports it.
package tidy
