// Package flood measures how much of their throughput honest clients keep while other clients send far too many
// requests.
//
// It is a scenario, flood.toml, whose attackers are chosen by flags: clients that send valid requests without end,
// clients whose signatures are bad, and attacks on links. They and the honest clients share one machine with the
// replicas, so the figures include the processor time that clients and attackers use.
package flood
