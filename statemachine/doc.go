// Package statemachine holds the replicated state: it turns ordered batches of client requests into the same results
// and the same bytes on every replica.
//
// An application developer implements Machine. A Service wraps one Machine and one Storage and adds what every
// replicated service needs and none should write again: exactly-once execution per (client, session, number) with
// cached replies (C1, C2), agreed time (N1), containment of panics (C9) and size limits that are the same everywhere
// (S4). All of it is state: it lives in the storage beside the application's keys and is part of the root digest.
// docs/rules.md has the rules that are cited by a letter and a number; an application needs none of them.
//
// # State
//
// The state after sequence number 0 is the empty store. Nothing distinguishes one cluster from another in it: the
// cluster's identity is in every signature already, and an empty genesis needs no version 0, which a store that
// counts versions from 1 cannot write. From there each batch is one WriteSet with its sequence number as version.
// What a machine has in its state from the beginning (Initializer) is written by the first batch that is not null. The
// record of the agreed time tells that it was: every such batch writes it. The version of the application's state
// (Versioned) is a record too.
//
// What the storage does not hold yet lies in overlays above it: the changes of the group of batches that is being written
// (Seal, Settle), and those of the batches applied beside it. Values that were read or written last are kept in memory
// besides, within a bound. The sessions are mirrored in memory; their records, one per client and one per session, are
// written once per group, with the version of the last batch that changed them. So a view between two groups has the
// application's keys and the agreed time as they were, but may lack the newest sessions: nothing but Load reads them, and
// it starts where a group ended.
//
// # What it must not do
//
// The package knows no message, signature, network or clock, and starts no goroutine. It never decides when state
// becomes durable: the caller asks for Flush, Seal and Checkpoint, and how batches are grouped into writes changes nothing
// that can be observed, the root included.
package statemachine
