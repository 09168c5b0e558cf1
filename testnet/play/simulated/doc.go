// Package simulated runs scenarios in the simulator.
//
// It makes a World of a scenario, does to it what a course of package play asks for, and tells the course what the World
// knows. The same scenario and seed give the same report. It must not judge by itself: invariants are check's,
// expectations scenario's.
package simulated
