// Package byzantine is the catalogue of faults that tests and scenarios can cause. It has the faults, their bounds, and
// functions to choose one.
//
// The packages below it contain the attackers: replica has replicas that lie, client has clients that misbehave, and
// link attacks below the level of messages. All of them use tamper. No shipped package imports any of these.
package byzantine
