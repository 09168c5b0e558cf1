// Package replica holds replicas that lie on purpose.
//
// A behaviour wraps an honest core. It gets every event before the core and every effect before the driver, and changes
// some of them. Everything else remains honest, so an attacker takes part in the protocol except for its lie. It has
// only its own key: it can contradict itself, but cannot forge statements of others.
//
// The package depends only on the protocol: it has no clock except Tick, no disk and no network.
package replica
