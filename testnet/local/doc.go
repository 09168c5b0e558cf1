// Package local runs a cluster of real processes on this machine.
//
// A Cluster owns a directory with the cluster file and one home per replica, and the processes that serve them: the
// running program's own binary, called again with the hidden subcommand "replica" (RunIfReplica). It starts, kills, stops
// and watches them, and asks them how they are. It decides nothing about the protocol and judges nothing.
//
// A cluster is given orders while it runs: links between replicas cut, slowed or ruled over by a links.Policy in each
// process, behaviours woken, clocks turned, disks filled. What each order touched is counted. Orders, and the question how a
// replica is, are calls of net/rpc over its standard input and output.
//
// No process outlives its cluster: each dies with the thread that started it where the system offers that, and ends by
// itself when its standard input does, which is a pipe that only the launcher holds open.
package local
