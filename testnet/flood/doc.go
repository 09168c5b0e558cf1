// Package flood measures what honest clients keep of their throughput while others flood the cluster (C6, S3).
//
// It drives a local cluster, honest clients that wait for each answer, and flooding clients with registered keys of their
// own: some whose requests are valid, one whose signatures are bad. Other misbehaviour of clients, and attacks on links
// with the key of a replica, of a client or of nobody, may come beside the floods or instead of them. Both measurements
// are of one run and of the same work, so their ratio says something whatever the machine is. It measures and tells; it
// changes nothing in the cluster but keys of its own.
package flood
