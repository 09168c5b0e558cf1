// Package byzantine is the catalogue of what can go wrong on purpose: the faults, their bounds, and the choice of one.
//
// Package replica, below it, has replicas that lie, client clients, and link attacks from below the messages; tamper is what
// all of them are made with. Nothing that ships imports any of it.
package byzantine
