// Package flood measures what honest clients keep of their throughput while others flood the replicas.
//
// It is a scenario, flood.toml, whose attackers are chosen by flags: clients that send valid requests without end, clients
// whose signatures are bad, and attacks on links. They and the honest clients share one machine with the
// replicas, so the figures include the processor time that clients and attackers use.
package flood
