// Package tagmatest tests applications: implementations of [statemachine.Machine].
//
//   - [Deterministic] runs operations on machines side by side and fails the test if they do not do the same.
//   - [Fuzz] does so with operations that the fuzzing engine makes up.
//   - [Start] runs a cluster of real processes on this computer, replicas of which can be killed, cut off or made to lie.
//   - [Simulate] runs clusters in virtual time, one for each seed: replicas crash, links lose messages, attackers lie.
//
// Everywhere a machine is given by the function that makes one, because every replica has its own.
//
// The package links attackers. Only tests import it.
package tagmatest
