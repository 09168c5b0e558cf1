// Package operate has the commands with which replicas are made and run, and asked how they are: init, node, keys and
// status. cmd/tagma and the programs of package tagma/node have them in common, each with its own name and machines.
//
// It owns their flags, output and files. It decides nothing about the protocol, and knows no operation of any machine.
package operate
