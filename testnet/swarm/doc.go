// Package swarm runs many simulated clusters, each drawn from a seed, looks for one that breaks an invariant, and makes
// what it finds small.
//
// It owns what is drawn, how runs share the processors, how a failing plan is shrunk and what is told of it. It must not
// judge: what a run may do is the simulator's and the monitor's to say. A seed is a plan and a plan is a run, whatever runs
// beside it.
package swarm
