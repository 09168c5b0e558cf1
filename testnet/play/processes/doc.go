// Package processes runs scenarios on real processes of this machine.
//
// It makes a local cluster of a scenario, drives it with clients of the client library, does to processes, disks, links and
// clocks what a course of package play asks for, and reads what they leave behind. It must not judge: invariants are
// check's, expectations scenario's.
package processes
