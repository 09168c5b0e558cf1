// Package tagmatest tests applications: implementations of [statemachine.Machine].
//
//   - [Deterministic] runs operations on several machines and fails the test if they do not do the same.
//   - [Fuzz] does so with operations that the fuzzing engine generates.
//   - [Start] runs a cluster of real processes on this computer, whose replicas can be killed, disconnected or made to lie.
//   - [Simulate] runs clusters in virtual time, one for each seed: replicas crash, links lose messages, attackers lie.
//
// A machine is always given by the function that makes one, because every replica has its own.
//
// The package links attackers. Only tests import it.
package tagmatest
