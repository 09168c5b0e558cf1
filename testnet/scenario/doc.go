// Package scenario defines the language of scenario files. A scenario says which cluster and workload there are, which
// faults happen and when, and what must hold nevertheless.
//
// It reads a TOML file strictly, checks everything that can be checked without running it, and returns plain values.
// There are two engines, the simulator and the one with real processes. Both use the same values; an engine refuses a
// scenario that it cannot perform. The package runs nothing. It judges only the numbers that it is given.
package scenario
