// Package scenario is the language in which a run of a cluster is written down: a cluster, a workload, what goes wrong
// and when, and what must hold in spite of it.
//
// It reads a TOML file strictly, checks everything that can be checked without running it, and hands out plain values.
// Both engines, the simulator and the one of real processes, take the same values, and are refused what they cannot
// perform. The package runs nothing and judges nothing but the numbers it is given.
package scenario
