// Package byzantine is the catalogue of what can go wrong on purpose: the faults, their bounds, and the choice of one.
//
// The packages below it hold the attackers: replica has replicas that lie, client has clients that misbehave, and link
// attacks below the level of messages. All of them use tamper. No shipped package imports any of these.
package byzantine
