// Package concepts has the concepts of fault tolerance as things to run: each is a card with a few sentences, a scenario in
// which it happens, and a check that it did.
//
// It owns the cards and what their checks ask of a report. It must not decide what a run is, or whether it was safe: that
// is what testnet/play and the scenario's own expectations do.
package concepts
