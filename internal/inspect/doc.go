// Package inspect reads the journal and the proofs of misbehaviour on a replica's disk, for people to look at,
// whether the replica is running or not. A copy of a home suffices, and no key is needed.
//
// It owns how records and evidence are described, in words and in JSON. It changes and locks nothing, and accepts as
// proof only what is signed with the cluster's keys.
package inspect
