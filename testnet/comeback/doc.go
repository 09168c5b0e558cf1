// Package comeback measures on real processes how replicas come back: from a disk that was emptied or is an old copy,
// from far behind, and through crashes of either side while the state is fetched (D8, X).
//
// Each case has a cluster of play/processes of its own, with the state as the keys of its workload. It causes the same
// faults as events of scenarios. But it causes them when replicas report something, not at given times. Each wait has a
// deadline. At the end of every case all acknowledged writes are read back, the four replicas must name one digest for
// one checkpoint, the journals must keep the protocol's invariants, and the stores, read from the disk once all have
// stopped, must have one root.
//
// The package owns the cases, their figures and their bounds. Clients, faults, journals and acknowledgements belong to
// play/processes. It decides nothing about the protocol, and takes all figures from reports, metrics and clients of this
// run.
package comeback
