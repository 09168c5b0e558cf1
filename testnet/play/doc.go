// Package play runs scenarios: the same course on any kind of cluster.
//
// The course owns the timetable of faults and repairs, what is counted meanwhile, the run without faults that ratios compare
// with, what is expected, and the report. It acts on a Cluster and reads what that reports: real processes (play/processes)
// or the simulator (play/simulated). This package imports neither of them.
package play
