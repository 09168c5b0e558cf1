// Package swarm runs many simulated clusters, each drawn from a seed, looks for one that breaks an invariant, and makes
// what it finds small.
//
// It owns what is drawn, how runs share the processors, how a failing plan is shrunk and what is reported of it. It must not
// judge: the simulator and the monitor say what a run may do. A seed determines a plan, and a plan determines a run,
// whatever runs beside it.
package swarm
