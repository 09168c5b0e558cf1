// Package tidy holds the project's own style rules as ordinary tests: which package may import which, what the protocol
// core may use, and how every file must look. `go test ./internal/tidy` needs nothing but Go.
//
// A rule is a function from the source tree to complaints, one line each, with the file and what to do. Every rule has
// a test on a bad snippet, which proves that the rule can fail. The package only reads the tree; nothing imports it.
package tidy
