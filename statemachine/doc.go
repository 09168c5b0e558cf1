// Package statemachine holds the replicated state: it turns ordered batches of client requests into the same results and
// the same bytes on every replica.
//
// An application developer implements Machine. A Service wraps one Machine and one Storage and adds what every
// replicated service needs, so that no application writes it again: exactly-once execution per (client, session, number)
// with cached replies (C1, C2), agreed time (N1), containment of panics (C9) and size limits that are the same on every
// replica (S4). All of this is state: the storage keeps it beside the application's keys, and the root digest covers it.
// docs/rules.md lists the rules that are cited by a letter and a number; an application developer needs none of them.
//
// # State
//
// The state after sequence number 0 is the empty store, the same in every cluster. The cluster's identity need not be in
// it, because it is in every signature. An empty store also needs no version 0, which a store that counts versions from
// 1 cannot write. From there on each batch is one WriteSet, with its sequence number as version. If a machine's state
// does not begin empty (Initializer), the first batch that is not null writes it. Every batch that is not null also
// writes a record of the agreed time. So if there is such a record, the first state was written. The version of the
// application's state (Versioned) is a record, too.
//
// Changes that the storage does not hold yet are in two overlays above it: one for the group of batches that is being
// written (Seal, Settle), and one for the batches that were applied since. The most recently used values are also kept
// in memory, within a bound. Sessions are kept in memory completely. Their records, one per client and one per session,
// are written once per group, with the version of the last batch that changed them. So a view of a state inside a group
// has the application's keys and the agreed time of that state, but may lack the newest sessions. Only Load reads the
// sessions, and it starts at the end of a group.
//
// # What it must not do
//
// The package knows no message, signature, network or clock. It never decides when state becomes durable: the caller
// calls Flush, Seal and Checkpoint, and the grouping of batches into writes changes nothing that can be observed,
// including the root.
package statemachine
