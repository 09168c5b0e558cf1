// Package bench loads a cluster with operations of the key-value machine and says how fast they were answered.
//
// Run warms up, then measures. In a closed loop every client sends its next request when the last one was answered, so a
// slow cluster is asked less. In an open loop requests are due at a given rate whatever the cluster does, and each one's
// time counts from the moment it was due, not from the moment a client was free to send it: a stall shows in every
// request that it delayed.
//
// The package owns the workload, its pace, the statistics and how they are shown. It knows nothing of processes or files of
// a cluster, and draws no conclusions.
package bench
