// Package bench puts a load of operations of the key-value machine on a cluster and measures how fast they are
// answered.
//
// Run warms up, then measures. In a closed loop every client sends its next request when the last one was answered,
// so a slow cluster gets fewer requests. In an open loop requests are due at a given rate, whatever the cluster does.
// The latency of a request counts from the moment when it was due, not from the moment when a client was free to send
// it. So a pause of the cluster increases the latency of every request that was due in it.
//
// The package owns the workload, its pace, the statistics and how they are shown. It does not know the processes or
// files of a cluster, and draws no conclusions.
package bench
