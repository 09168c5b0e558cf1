// Package port is how a core looks from outside, whatever stands in a replica's place, the replica, an amnesiac or an
// attacker: events go in, effects come out, an input that changed nothing says why, and an inspection shows where it is.
//
// It owns these vocabularies. It must not know how a core works.
package port
