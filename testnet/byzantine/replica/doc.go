// Package replica holds replicas that lie on purpose.
//
// A behaviour is an actor around an honest core: it sees every event before the core does and every effect before the
// driver does, and changes some of them. What it does not change stays honest, so an attacker takes part in everything
// but its lie. Its key is its own only: it can contradict itself, but forge nobody else.
//
// The package knows the protocol and nothing else: no clock but Tick, no disk, no network.
package replica
