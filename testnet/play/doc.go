// Package play runs scenarios: one course, on whatever cluster.
//
// The course owns the timetable of what goes wrong and is mended, what is counted meanwhile, the run without faults that
// ratios compare with, what is expected, and the report. A Cluster is what all of it happens to: real processes
// (play/processes) or the simulator (play/simulated). It does what it is told and tells what it sees; the package knows
// neither of them.
package play
