package demo

import (
	"time"

	"tagma/internal/cluster"
	"tagma/testnet/local"
)

// Options say how large a demonstration to give.
type Options struct {
	Dir  string // for the cluster's files; must not hold a cluster
	Seed uint64 // of the values that clients write

	Sessions    int    // client sessions, each over links of its own
	Workers     int    // of each session; each has one request under way
	BeforeCrash int    // acknowledged operations before everything is killed
	AfterCrash  int    // acknowledged operations after that
	LieFrom     uint64 // the sequence number from which on the primary equivocates

	LogWindow    int           // L, sequence numbers: who falls further behind cannot follow
	ViewTimeout  time.Duration // T
	SegmentBytes int           // of the journals: small, so that a short run deletes some
	StartWithin  time.Duration // all replicas must be ready
	Stall        time.Duration // so long without an acknowledgement ends the run
}

// Defaults are the options of `tagma-testnet demo`.
func Defaults() Options {
	return Options{
		Sessions: 4, Workers: 16, BeforeCrash: 8000, AfterCrash: 8000, LieFrom: 150,
		LogWindow: 128, ViewTimeout: time.Second, SegmentBytes: 256 << 10,
		StartWithin: local.Patience, Stall: 20 * time.Second,
	}
}

const (
	replicas  = 4
	liar      = 0 // the primary of view 0
	valueSize = 100
)

// protocol is the cluster's: small batches and windows, so that a short run has many checkpoints.
func (o *Options) protocol() cluster.Protocol {
	return cluster.Protocol{
		ViewTimeout: cluster.Duration{Duration: o.ViewTimeout}, CheckpointInterval: 16, LogWindow: o.LogWindow, MaxBatch: 16,
	}
}
