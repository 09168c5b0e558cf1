// Package swarm runs many simulated clusters, each drawn from a seed, looks for one that breaks an invariant, and makes
// what it finds small.
//
// It decides what is drawn, how runs share the processors, how a failing plan is made smaller, and what is reported
// about it. It must not judge runs: the simulator and the monitor do that. A seed determines a plan, and a plan
// determines a run, whatever other runs there are.
package swarm
