// Package local runs a cluster of real processes on this machine.
//
// A Cluster owns a directory with the cluster file and one home per replica, and the processes that serve them: the
// running program's own binary, called again with the hidden subcommand "replica" (RunIfReplica). It starts, kills and
// stops them, notices when they end, and asks them for reports. It decides nothing about the protocol and judges
// nothing.
//
// A cluster can be given orders while it runs. Orders change links between replicas (each process has a links.Policy for
// this), activate behaviours, change clocks and fill disks. Each process counts the effects of each order. Orders and
// requests for reports are calls of net/rpc over a process's standard input and output.
//
// No process outlives its cluster: each is killed when the thread that started it ends, if the system offers that; and
// each ends when its standard input is closed, which is a pipe that only the parent program keeps open.
package local
