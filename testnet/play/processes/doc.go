// Package processes runs scenarios on real processes of this machine.
//
// It makes a local cluster for a scenario, and sends it operations with clients of the client library. It causes the
// faults of processes, disks, links and clocks that package play asks for, and reads journals and reports. It must not
// judge: package check judges invariants, and package scenario judges expectations.
package processes
