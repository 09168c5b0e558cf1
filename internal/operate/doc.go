// Package operate has the commands that make replicas, run them, and report their state: init, node, keys and status.
// cmd/tagma and the programs made with package tagma/node share them, each with its own name and machines.
//
// It owns the commands' flags, output and files. It decides nothing about the protocol, and knows no operation of any
// machine.
package operate
