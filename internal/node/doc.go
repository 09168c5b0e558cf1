// Package node runs one replica on a real machine: it puts goroutines, a network, a disk and a clock around a driver.
//
// A home directory holds everything of a replica: config.toml (local settings), key, journal/ (its votes), state/ (the
// replicated store) and evidence/ (misbehaviour it has proof of). Open reads a home and decides whether its disk can be
// trusted (D5, D8); Run serves until its context ends.
//
// Four parts do the work: readers of the links decode, a pool verifies, one loop runs the driver's turns, and one executor
// applies batches beside it. Everything between them is bounded. The package decides nothing about the protocol.
package node
