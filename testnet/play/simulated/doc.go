// Package simulated is the engine that runs scenarios in the simulator: in virtual time, in one goroutine, and from the
// scenario's seed alone, so that a run can be had again.
//
// It arms what a scenario plans on a world of package sim, lets the world run, and makes a report of what came of it. It
// judges nothing itself: invariants are package check's, expectations package scenario's.
package simulated
