// Package simulated runs scenarios in the simulator.
//
// It makes a simulated World for a scenario, causes in it the faults that package play asks for, and reports what
// happens in it. The same scenario and seed give the same report. It must not judge: package check judges invariants,
// and package scenario judges expectations.
package simulated
