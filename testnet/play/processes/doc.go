// Package processes is the engine that runs scenarios on real processes: replicas with real disks and libp2p on this
// machine, real clients, signals, damaged files.
//
// It owns the course of a run: a fault-free one first where ratios are asked for, then the cluster with all that the
// scenario does to it, the reading back, and the report. How replicas are launched and given orders is package local's
// matter, how a run is looked at package observe's, what must hold package check's and scenario's.
package processes
