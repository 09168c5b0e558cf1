// Package comeback measures on real processes how replicas come back: from a disk that was emptied or is an old copy,
// from far behind, and through crashes of either side while the state is fetched (D8, X).
//
// Each case makes a cluster of its own, fills it through the client library, does harm to one or more homes, and waits
// for what the replicas report of themselves, each wait within a deadline. At the end of every case all acknowledged
// writes are read back, the four replicas must name one digest for one checkpoint, and their stores, read from the disk
// once all have stopped, must have one root.
//
// The package owns the cases, their figures and their bounds. It decides nothing about the protocol, and takes every
// byte and second that it tells from reports, metrics and clients of this run.
package comeback
