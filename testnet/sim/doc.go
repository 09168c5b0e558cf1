// Package sim runs a whole cluster in virtual time, in one goroutine, from one seed.
//
// It owns the world around the replicas: the clock, the network, disks, stores, crashes and clients. What a replica does
// is the shipped code: the same core, driver, guard, journal, state machine and codec as a node's. The world hands
// events around in the order of their times, and of their numbers where times are equal. Nothing else decides what
// happens: no clock, goroutine, map order, or chance other than the seed's, so a seed determines a run.
//
// Several worlds can share a clock: they are clusters without links between them, and programs can be clients of several
// of them. Every world has its own seed and monitor.
//
// These parts are simulated, and behave as follows:
//
//   - Signatures are ed25519, or a keyed hash whose secrets the world alone holds. An attacker only has a function that
//     signs with its own key, so it cannot forge.
//   - The journal is the real one, on a disk in memory (package disk). The store is a versioned map that loses in a crash
//     what the real one may lose, with the real tree of hashes over it.
//   - The time that a sync, an execution or a flush takes passes on the virtual clock. What a turn sends leaves when its
//     sync is over, and what arrives meanwhile waits for the next turn, as in a node.
//   - Every frame is encoded, decoded, checked and verified, once for all replicas that are sent the same bytes: the
//     checks look at bytes and membership alone, so that they all judge alike.
//   - State transfer is the shipped code: a replica that cannot catch up by certificates fetches a state from the
//     others over the simulated links. Every transfer is counted.
package sim
