// Package node runs one replica on a real machine: it puts goroutines, a network, a disk and a clock around a driver.
//
// A home directory holds everything that belongs to a replica: config.toml (local settings), key, journal/ (its votes),
// state/ (the replicated store) and evidence/ (its proofs of misbehaviour). Open reads a home and decides whether its
// disk can be trusted (D5, D8). Run serves until its context ends.
//
// Four parts do the work: the links' readers decode messages, a pool verifies them, one loop runs the driver's turns,
// and one executor applies batches concurrently. All queues between them are bounded. The package decides nothing about
// the protocol.
package node
